//! Every fault is one line that says where it is, what is wrong, and what is allowed.

use super::*;
use crate::config::StorePlace;
use crate::domain::{Credential, SchemaMode, Scheme};

struct Case {
    folder: tempfile::TempDir,
    env: Vec<(String, String)>,
}

impl Case {
    fn new(toml: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("t.toml", toml);
        write("signing-secret", "a-signing-secret-of-32-bytes-abc");
        write("tagoio-token", "a-token-of-some-length");
        write("short", "fifteen-bytes-x");
        write("empty", "\n");
        write("newline", "sixteen-bytes-xx\r\n");
        write("hash", "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA\n");
        Self { folder, env: Vec::new() }
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    fn load(&self) -> Result<Config, ConfigFaults> {
        let options = Options {
            config: Some(self.folder.path().join("t.toml")),
            data_dir: Some(self.folder.path().to_owned()),
            ..Options::default()
        };
        load(&options, &self.env, |_, secret| {
            if secret.expose().len() < 16 { Err(format!("{} bytes", secret.expose().len())) } else { Ok(()) }
        })
    }

    /// The faults without the folder's name.
    fn faults(&self) -> Vec<String> {
        let folder = format!("{}/", self.folder.path().display());
        self.load().unwrap_err().0.iter().map(|line| line.replace(&folder, "")).collect()
    }
}

fn source(line: &str) -> Case {
    Case::new(&format!("[[source]]\nname = \"s\"\nsecrets = [\"file:signing-secret\"]\n{line}\n"))
}

#[test]
fn without_a_file_the_defaults_are_those_of_the_contract() {
    let case = Case::new("");
    let config = case.load().unwrap();
    assert_eq!(config.receiver.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.inspector.listen.to_string(), "127.0.0.1:8081");
    assert_eq!(config.receiver.max_body, 4 << 20);
    assert_eq!(config.store.keep_deliveries, Duration::from_secs(30 * 86_400));
    assert_eq!(config.store.max_size, 10 << 30);
    let StorePlace::Sqlite(path) = &config.store.place else { panic!("a file") };
    assert_eq!(*path, case.folder.path().join("tagohook.db"));
    let [tagorun, tagoio] = &*config.sources else { panic!("two sources") };
    assert_eq!((tagorun.signature.scheme, tagorun.signature.secrets.len()), (Scheme::Tagorun, 1));
    assert_eq!((tagorun.schema, tagorun.id_pointer.as_str()), (SchemaMode::Enforce, "/id"));
    assert_eq!(tagoio.signature.scheme, Scheme::None);
    assert!(matches!(&*tagoio.credentials, [Credential::Bearer(_)]));
}

#[test]
fn file_then_environment_then_flags_have_the_last_word() {
    let case = Case::new("[receiver]\nlisten = \"127.0.0.1:1\"\nmax_body = \"1 KiB\"\n")
        .env("TAGOHOOK_RECEIVER_MAX_BODY", "2 KiB")
        .env("TAGOHOOK_RECEIVER_TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8")
        .env("TAGOHOOK_SENDER_DENY_PRIVATE", "true");
    let config = case.load().unwrap();
    assert_eq!((config.receiver.max_body, config.receiver.listen.to_string()), (2048, "127.0.0.1:1".into()));
    assert_eq!(config.receiver.trusted_proxies.ranges.len(), 2);
    assert!(config.sender.deny_private);
    let options = Options {
        config: Some(case.folder.path().join("t.toml")),
        data_dir: Some(case.folder.path().to_owned()),
        listen: Some("127.0.0.1:3".into()),
        ..Options::default()
    };
    let env = [("TAGOHOOK_LISTEN".to_owned(), "127.0.0.1:2".to_owned())];
    assert_eq!(load(&options, &env, |_, _| Ok(())).unwrap().receiver.listen.to_string(), "127.0.0.1:3");
    let options = Options { listen: None, ..options };
    assert_eq!(load(&options, &env, |_, _| Ok(())).unwrap().receiver.listen.to_string(), "127.0.0.1:2");
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_nearest_known_one() {
    let case = Case::new("[receiver]\nmax_bdy = \"1 KiB\"\n[recever]\nx = 1\n[store]\nkeep = \"1d\"\n");
    assert_eq!(
        case.faults(),
        [
            "t.toml:2: receiver.max_bdy: unknown key (did you mean max_body?)",
            "t.toml:3: recever: unknown key (did you mean receiver?)",
            "t.toml:6: store.keep: unknown key",
        ]
    );
    assert_eq!(
        source("signatur = \"none\"").faults(),
        ["t.toml:4: source \"s\".signatur: unknown key (did you mean signature?)"]
    );
    let case = Case::new("").env("TAGOHOOK_RECEIVER_MAX_BOD", "1");
    assert_eq!(
        case.faults(),
        ["TAGOHOOK_RECEIVER_MAX_BOD: environment: no such option (did you mean TAGOHOOK_RECEIVER_MAX_BODY?)"]
    );
}

#[test]
fn foreign_variables_are_noticed_in_one_line_and_service_links_not_at_all() {
    let case = Case::new("")
        .env("TAGOHOOK_VERSION", "1.2")
        .env("TAGOHOOK_BIN", "/usr/bin/tagohook")
        .env("TAGOHOOK_PASSWORD", "correct horse")
        .env("TAGOHOOK_TOKEN", "t")
        .env("TAGOHOOK_PORT", "tcp://10.96.12.7:8080")
        .env("TAGOHOOK_SERVICE_HOST", "10.96.12.7");
    let config = case.load().unwrap();
    let told: Vec<&String> = config.notices.iter().filter(|notice| notice.contains("TAGOHOOK_")).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("ignored: TAGOHOOK_BIN, TAGOHOOK_VERSION;"), "{told:?}");
}

#[test]
fn a_port_alone_is_taken_from_file_environment_and_flags() {
    let ports = Case::new("[receiver]\nlisten = 1\n[inspector]\nlisten = \":2\"\n").load().unwrap();
    assert_eq!(ports.receiver.listen.to_string(), "127.0.0.1:1");
    assert_eq!(ports.inspector.listen.to_string(), "127.0.0.1:2");
    let case = Case::new("").env("TAGOHOOK_LISTEN", "3").env("TAGOHOOK_INSPECTOR_LISTEN", "4");
    let ports = case.load().unwrap();
    assert_eq!((ports.receiver.listen.to_string(), ports.inspector.listen.port()), ("127.0.0.1:3".into(), 4));
}

#[test]
fn every_fault_is_told_at_once() {
    let case =
        Case::new("[receiver]\nlisten = \"here\"\nmax_body = \"big\"\n[store]\nkeep_rejected = \"0d\"\n");
    let faults = case.faults();
    assert_eq!(faults.len(), 3, "{faults:?}");
    assert!(faults[0].starts_with("t.toml:2: receiver.listen: \"here\" is not an address"));
    assert!(faults[1].starts_with("t.toml:3: receiver.max_body: \"big\" is not a size"));
    assert!(faults[2].starts_with("t.toml:5: store.keep_rejected: \"0d\" is too small"));
}

#[test]
fn a_file_that_is_no_toml_is_told_by_its_line() {
    assert!(Case::new("[receiver]\nlisten = \n").faults()[0].starts_with("t.toml:2: TOML: "));
    let case = Case::new("");
    fs::remove_file(case.folder.path().join("t.toml")).unwrap();
    assert!(case.faults()[0].starts_with("t.toml: file: cannot be read"));
}

#[test]
fn a_forgotten_signature_is_tagorun_and_needs_a_secret() {
    let config = source("").load().unwrap();
    assert_eq!(config.sources[0].signature.scheme, Scheme::Tagorun);
    let case = Case::new("[[source]]\nname = \"s\"\n");
    assert!(case.faults()[0].contains("needs at least one secret"), "{:?}", case.faults());
    assert!(Case::new("[[source]]\nname = \"s\"\nsignature = \"none\"\n").load().is_ok());
}

#[test]
fn sig_26_secrets_that_are_short_empty_missing_or_literal_stop_the_start() {
    for (secret, what) in [
        ("file:short", "file:short: 15 bytes"),
        ("file:empty", "file:empty is empty"),
        ("file:nowhere", "nowhere cannot be read"),
        ("env:NOWHERE", "env:NOWHERE is not set"),
        ("literal-secret-value", "secrets are not written into the configuration"),
        ("Basic base64(username:password)", "base64( is a placeholder"),
    ] {
        let case = Case::new(&format!("[[source]]\nname = \"s\"\nsecrets = [\"{secret}\"]\n"));
        let faults = case.faults();
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(
            faults[0].starts_with("t.toml:3: source \"s\".secrets: ") && faults[0].contains(what),
            "{faults:?}"
        );
        assert!(!faults[0].contains("literal-secret-value"));
    }
}

#[test]
fn sig_15_one_newline_at_the_end_of_a_secret_is_left_out_and_told() {
    let case = Case::new("[[source]]\nname = \"s\"\nsecrets = [\"file:newline\"]\n");
    let config = case.load().unwrap();
    assert_eq!(config.sources[0].signature.secrets[0].expose(), b"sixteen-bytes-xx");
    assert!(config.notices.iter().any(|notice| notice.contains("file:newline: one newline")));
}

#[test]
fn net_05_allowlists_are_read_and_a_bad_entry_stops_the_start_by_name() {
    let config = source("allow = [\"203.0.113.5/24, 198.51.100.1,\", \"2001:db8::/32\"]").load().unwrap();
    assert_eq!(config.sources[0].allow.ranges.len(), 3);
    assert!(source("allow = [\"10.0.0.0/33\"]").faults()[0].contains("\"10.0.0.0/33\" is not an address"));
    assert!(source("allow = [\"0.0.0.0/0\"]").faults()[0].contains("allow_all = true"));
    assert!(source("allow = [\"::/0\"]\nallow_all = true").load().is_ok());
}

#[test]
fn a_search_may_take_no_time_and_up_to_five_seconds() {
    let inspector = |time: &str| Case::new(&format!("[inspector]\nsearch_time = \"{time}\"\n"));
    for (time, expected) in [("0s", Duration::ZERO), ("5s", Duration::from_secs(5))] {
        assert_eq!(inspector(time).load().unwrap().inspector.search_time, expected);
    }
    assert!(inspector("5001ms").faults()[0].contains("inspector.search_time: at most 5s"));
}

#[test]
fn secrets_that_nothing_checks_are_noticed() {
    let noticed = |rest: &str| {
        let config = Case::new(&format!("[[source]]\nname = \"s\"\n{rest}")).load().unwrap();
        config.notices.iter().any(|notice| notice.contains("no signature is checked"))
    };
    assert!(noticed("signature = \"none\"\nsecrets = [\"file:signing-secret\"]\n"));
    assert!(!noticed("signature = \"none\"\n"));
    assert!(!noticed("secrets = [\"file:signing-secret\"]\n"));
}

#[test]
fn a_slip_in_the_syntax_is_told_by_its_cause() {
    for (text, told) in [
        (
            "[receiver]\nlisten = 127.0.0.1:8080\n",
            "t.toml:2: TOML: put text in quotes: listen = \"127.0.0.1:8080\"",
        ),
        ("[receiver]\nmax_body = 4MiB # more\n", "t.toml:2: TOML: put text in quotes: max_body = \"4MiB\""),
        ("[receiver]\nlisten = # where\n", "t.toml:2: TOML: listen has no value; write text in quotes"),
        ("[receiver]\nlisten = \"a\"\nlisten = \"b\"\n", "t.toml:3: TOML: listen is there twice"),
        ("[receiver]\n[log]\n[receiver]\n", "t.toml:3: TOML: [receiver] is there twice"),
        ("listen: 8080\n", "t.toml:1: TOML: key with no value"),
    ] {
        assert!(Case::new(text).faults()[0].starts_with(told), "{text}: {:?}", Case::new(text).faults());
    }
}

#[test]
fn a_value_without_quotes_is_shown_as_it_is_written() {
    let faults = Case::new("[receiver]\nbody_timeout = 30\n").faults();
    assert!(faults[0].contains("\"30\" is not a duration; expected a duration as \"30s\""), "{faults:?}");
}

#[test]
fn net_10_an_allowlist_behind_an_untrusted_proxy_is_noticed() {
    let config = source("allow = [\"203.0.113.0/24\"]").load().unwrap();
    assert!(config.notices.iter().any(|notice| notice.contains("trusted_proxies")));
}

#[test]
fn credentials_are_read_and_their_faults_told() {
    let config = source(
        "credentials = [{ bearer = \"file:tagoio-token\" }, { api_key = { key = \"env:K\", header = \"X-K\" } }, \
         { basic = { username = \"u\", password = \"env:P\" } }]",
    )
    .env("K", "key")
    .env("P", "a:b:c")
    .load()
    .unwrap();
    assert_eq!(config.sources[0].credentials.len(), 3);
    for bad in [
        "{ bearer = \"literal\" }",
        "{ bearer = 1 }",
        "\"Basic base64(username:password)\"",
        "{ basic = { username = \"a:b\", password = \"file:tagoio-token\" } }",
        "{ basic = { username = \"a\" } }",
        "{ api_key = { key = \"file:tagoio-token\", header = \"X Y\" } }",
        "{ api_key = { ky = \"file:tagoio-token\" } }",
        "{ token = \"file:tagoio-token\" }",
    ] {
        let faults = source(&format!("credentials = [{bad}]")).faults();
        assert!(
            faults.len() == 1 && faults[0].starts_with("t.toml:4: source \"s\".credentials: "),
            "{faults:?}"
        );
    }
}

#[test]
fn names_of_sources_fit_a_url_and_are_told_apart() {
    for name in ["", "a b", "a/b", "webhook-test", "ü"] {
        let case = Case::new(&format!("[[source]]\nname = \"{name}\"\nsignature = \"none\"\n"));
        assert!(case.faults()[0].starts_with("t.toml:2: source"), "{:?}", case.faults());
    }
    let one = "[[source]]\nname = \"s\"\nsignature = \"none\"\n";
    assert!(Case::new(&one.repeat(2)).faults()[0].starts_with("t.toml:5: source \"s\".name: "));
}

#[test]
fn beyond_loopback_the_inspector_needs_a_password() {
    let open = "[inspector]\nlisten = \"0.0.0.0:8081\"\n";
    assert!(Case::new(open).faults()[0].contains("hash-password"));
    let config = Case::new(&format!("{open}password_file = \"hash\"\n")).load().unwrap();
    assert!(config.inspector.password.is_some());
    assert!(
        Case::new(&format!("{open}password_file = \"short\"\n")).faults()[0]
            .contains("does not contain an argon2 hash")
    );
    assert!(Case::new("[inspector]\nlisten = \"[::ffff:127.0.0.1]:1\"\n").load().is_ok());
}

#[test]
fn traces_need_the_feature_and_a_url_without_a_password() {
    let case = |url: &str| Case::new(&format!("[telemetry]\notlp_endpoint = \"{url}\"\n"));
    assert!(case("").load().unwrap().telemetry.otlp_endpoint.is_none());
    let endpoint = "http://127.0.0.1:4318";
    if cfg!(feature = "otlp") {
        assert_eq!(case(endpoint).load().unwrap().telemetry.otlp_endpoint.unwrap().port(), Some(4318));
        for (url, words) in
            [("127.0.0.1:4318", "http or https URL"), ("http://a:b@x/", "must not contain a password")]
        {
            assert!(case(url).faults()[0].contains(words), "{:?}", case(url).faults());
        }
    } else {
        let faults = case(endpoint).faults();
        assert!(faults.len() == 1 && faults[0].contains("--features otlp"), "{faults:?}");
    }
}

#[test]
fn a_list_without_an_address_does_not_open_a_source_to_everyone() {
    for list in ["[\"\"]", "[\" , \"]"] {
        let faults = source(&format!("allow = {list}")).faults();
        assert!(
            faults[0].ends_with("allow: names no address; write [] if every address may send"),
            "{faults:?}"
        );
    }
    assert!(source("allow = [\"10.0.0.1, 10.0.0.2,\"]").load().is_ok());
}

#[test]
fn what_could_never_match_or_be_reached_is_a_fault() {
    for (toml, part) in [
        (
            "[inspector]\nallowed_hosts = [\"https://a.example/\"]\n",
            "\"https://a.example/\" is not a host name",
        ),
        ("[inspector]\nallowed_hosts = [\"*.example.com\"]\n", "write each name in full"),
        ("[receiver]\nlisten = \"127.0.0.1:8081\"\n", "cannot both listen on 127.0.0.1:8081"),
        ("[[source]]\nname = \"..\"\nsignature = \"none\"\n", "\"..\" cannot be part of a URL"),
        ("[[source]]\nname = \"a\"\nsignature = \"none\"\nid_pointer = \"/a~2b\"\n", "is not a JSON pointer"),
        (
            "[[source]]\nname = \"a\"\nsignature = \"none\"\ndedupe_by_body = true\n",
            "\"true\" is not a duration",
        ),
    ] {
        let faults = Case::new(toml).faults();
        assert!(faults.iter().any(|fault| fault.contains(part)), "{toml}: {faults:?}");
    }
    let config = Case::new("[inspector]\nallowed_hosts = [\"a.example:8443\", \"[::1]\"]\n").load().unwrap();
    assert_eq!(config.inspector.allowed_hosts, ["a.example:8443", "[::1]"]);
}

#[test]
fn to_trust_every_client_as_a_proxy_is_noticed() {
    let notices = |list: &str| {
        Case::new(&format!("[receiver]\ntrusted_proxies = [\"{list}\"]\n")).load().unwrap().notices
    };
    assert!(notices("0.0.0.0/0").iter().any(|notice| notice.contains("trusts every client")));
    assert!(!notices("10.0.0.0/8").iter().any(|notice| notice.contains("trusts every client")));
}

#[test]
fn a_missing_file_is_reported_without_the_number_of_the_system() {
    let faults = Case::new("[[source]]\nname = \"a\"\nsecrets = [\"file:nope\"]\n").faults();
    assert!(faults[0].ends_with("nope cannot be read: No such file or directory"), "{faults:?}");
}
