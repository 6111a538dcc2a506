//! What platforms ask before they send, with their documented payloads: answered as their documents say, kept as what it
//! is, never forwarded, and no help to an attacker.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::harness::{Answer, Server, Setup, Sink, exchange, hmac_hex, login, until};

const KEY: &str = "a-signing-key-of-a-platform-0123";

fn server(lines: &str) -> Server {
    let config = format!("[[source]]\nname = \"p\"\nschema = \"off\"\n{lines}\n");
    let setup = Setup::new(&config);
    setup.file("key", KEY);
    setup.file("verify-token", "our-verify-token");
    setup.start()
}

fn text(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.body).into_owned()
}

fn now_s() -> String {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs().to_string()
}

/// The newest delivery is a handshake of that platform, with that in its diagnosis, and no event.
fn is_kept(server: &Server, kind: &str, sender: &str, part: &str) -> Value {
    let newest = server.newest();
    assert_eq!((&newest["verdict"], &newest["reason"]), (&json!("handshake"), &Value::Null), "{newest}");
    assert_eq!(newest["event_type"], format!("handshake.{kind}"));
    let diagnosis = newest["diagnosis"].as_str().unwrap();
    assert!(
        diagnosis.contains(&format!("Handshake of {sender}: ")) && diagnosis.contains(part),
        "{diagnosis}"
    );
    let page = exchange(
        server.inspector,
        "GET",
        &format!("/deliveries/{}", newest["id"].as_str().unwrap()),
        &[],
        b"",
    );
    assert!(text(&page).contains(&format!("Handshake of {sender}: ")));
    assert!(exchange(server.inspector, "GET", "/", &[], b"").status == 200);
    newest
}

fn signed(header: &str, prefix: &str, before: &str, body: &str) -> (String, String) {
    (header.to_owned(), format!("{prefix}{}", hmac_hex(KEY.as_bytes(), format!("{before}{body}").as_bytes())))
}

#[test]
fn slack_is_answered_with_its_challenge_where_its_signature_is_valid() {
    let server = server("handshake = \"slack\"\nsecrets = [\"file:key\"]");
    let body = r#"{"token":"Jhj5dZrVaK7ZwHHjRyZWjbDl","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P","type":"url_verification"}"#;
    let at = now_s();
    let (name, value) = signed("X-Slack-Signature", "v0=", &format!("v0:{at}:"), body);
    let headers = [("X-Slack-Request-Timestamp", at.as_str()), (name.as_str(), value.as_str())];
    let answer = server.post("/webhook/p", &headers, body.as_bytes());
    assert_eq!(
        (answer.status, text(&answer).as_str()),
        (200, "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P")
    );
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    is_kept(&server, "slack", "Slack", "answered with the challenge");
    // Unsigned, wrongly signed, and played again later: no answer.
    assert_eq!(server.post("/webhook/p", &[], body.as_bytes()).status, 401);
    let wrong = [
        ("X-Slack-Request-Timestamp", at.as_str()),
        ("X-Slack-Signature", &format!("v0={}", "0".repeat(64))),
    ];
    assert_eq!(server.post("/webhook/p", &wrong, body.as_bytes()).status, 401);
    let (name, value) = signed("X-Slack-Signature", "v0=", "v0:1531420618:", body);
    let old = [("X-Slack-Request-Timestamp", "1531420618"), (name.as_str(), value.as_str())];
    let answer = server.post("/webhook/p", &old, body.as_bytes());
    assert_eq!((answer.status, server.newest()["reason"].as_str()), (401, Some("stale")));
    // Its events are events.
    let event = r#"{"type":"event_callback","event_id":"Ev1","event":{"type":"message"}}"#;
    let (name, value) = signed("X-Slack-Signature", "v0=", &format!("v0:{at}:"), event);
    let headers = [("X-Slack-Request-Timestamp", at.as_str()), (name.as_str(), value.as_str())];
    assert_eq!(server.post("/webhook/p", &headers, event.as_bytes()).word(), "processed");
    assert_eq!(server.deliveries("verdict=handshake").len(), 1);
    assert_eq!(server.deliveries("q=verdict%3Ahandshake").len(), 1);
    let exported =
        server.api_raw(&format!("deliveries/{}/export?as=test", server.newest()["id"].as_str().unwrap()));
    assert!(text(&exported).contains("X-Slack-Signature"), "{}", text(&exported));
}

#[test]
fn zoom_is_answered_with_a_signed_token_and_signs_nothing_else() {
    let server = server("handshake = \"zoom\"\nsecrets = [\"file:key\"]");
    let ask = |body: &str| {
        let at = now_s();
        let (name, value) = signed("x-zm-signature", "v0=", &format!("v0:{at}:"), body);
        let headers = [("x-zm-request-timestamp", at.as_str()), (name.as_str(), value.as_str())];
        server.post("/webhook/p", &headers, body.as_bytes())
    };
    let body = r#"{"payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"},"event_ts":1654503849680,"event":"endpoint.url_validation"}"#;
    let answer = ask(body);
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.json(),
        json!({"plainToken": "qgg8vlvZRS6UYooatFL8Aw", "encryptedToken": hmac_hex(KEY.as_bytes(), b"qgg8vlvZRS6UYooatFL8Aw")})
    );
    is_kept(&server, "zoom", "Zoom", "signature");
    let forged = body.replace("qgg8vlvZRS6UYooatFL8Aw", "v0:1:{}");
    assert_eq!(ask(&forged).status, 400);
    assert_eq!(server.newest()["reason"], "handshake_malformed");
    assert_eq!(server.post("/webhook/p", &[], body.as_bytes()).status, 401, "unsigned");
}

#[test]
fn meta_is_answered_with_its_challenge_where_its_token_is_ours() {
    let server =
        server("handshake = \"meta\"\nhandshake_token = \"file:verify-token\"\nsecrets = [\"file:key\"]");
    let ask = |token: &str| {
        server.ask(
            "GET",
            &format!("/webhook/p?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={token}"),
            &[],
        )
    };
    let answer = ask("our-verify-token");
    assert_eq!((answer.status, text(&answer).as_str()), (200, "1158201444"));
    let kept = is_kept(&server, "meta", "Meta", "challenge");
    assert!(!kept["path"].as_str().unwrap().contains("our-verify-token"), "the token is masked");
    let answer = ask("another");
    assert_eq!((answer.status, server.newest()["reason"].as_str()), (403, Some("handshake_refused")));
    assert!(!text(&answer).contains("1158201444"));
    assert_eq!(server.ask("GET", "/webhook/p", &[]).status, 200, "a probe is a probe");
    // Its events are signed as GitHub's.
    let body = br#"{"object":"whatsapp_business_account","entry":[]}"#;
    let signature = format!("sha256={}", hmac_hex(KEY.as_bytes(), body));
    assert_eq!(server.post("/webhook/p", &[("X-Hub-Signature-256", &signature)], body).word(), "processed");
}

#[test]
fn dropbox_okta_and_x_are_answered_to_a_get() {
    let dropbox = server("handshake = \"dropbox\"\nsecrets = [\"file:key\"]");
    let answer = dropbox.ask("GET", "/webhook/p?challenge=abc%20123", &[]);
    assert_eq!((answer.status, text(&answer).as_str()), (200, "abc 123"));
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    is_kept(&dropbox, "dropbox", "Dropbox", "challenge");
    assert_eq!(dropbox.ask("GET", "/webhook/p?challenge=a%0d%0ab", &[]).status, 400);
    let okta = server("handshake = \"okta\"\nsignature = \"none\"");
    let answer =
        okta.ask("GET", "/webhook/p", &[("x-okta-verification-challenge", "My verification challenge")]);
    assert_eq!((answer.status, answer.json()), (200, json!({"verification": "My verification challenge"})));
    is_kept(&okta, "okta", "Okta", "challenge");
    let x = server("handshake = \"x\"\nsecrets = [\"file:key\"]");
    let answer = x.ask("GET", "/webhook/p?crc_token=MGNjZTk2ODAtMjdkMy00", &[]);
    let digest = hex::decode(hmac_hex(KEY.as_bytes(), b"MGNjZTk2ODAtMjdkMy00")).unwrap();
    let token = format!("sha256={}", STANDARD.encode(digest));
    assert_eq!((answer.status, answer.json()), (200, json!({"response_token": token})));
    is_kept(&x, "x", "X", "signature");
    for token in ["%7B%7D", "%5B%5D", "%7B%22a%22%3A1%7D", "", &"a".repeat(257)] {
        assert_eq!(x.ask("GET", &format!("/webhook/p?crc_token={token}"), &[]).status, 400, "{token}");
    }
}

#[test]
fn twitch_is_answered_with_the_raw_challenge() {
    let server = server("handshake = \"twitch\"\nsecrets = [\"file:key\"]");
    let body = r#"{"challenge":"pogchamp-kappa-360noscope-vohiyo","subscription":{"id":"f1c2a387","type":"channel.follow"}}"#;
    let time = jiff::Timestamp::now().to_string();
    let (name, value) =
        signed("Twitch-Eventsub-Message-Signature", "sha256=", &format!("e76c6bd4{time}"), body);
    let ask = |kind: &str| {
        let headers = [
            ("Twitch-Eventsub-Message-Id", "e76c6bd4"),
            ("Twitch-Eventsub-Message-Timestamp", time.as_str()),
            (name.as_str(), value.as_str()),
            ("Twitch-Eventsub-Message-Type", kind),
            ("Twitch-Eventsub-Subscription-Type", "channel.follow"),
        ];
        server.post("/webhook/p", &headers, body.as_bytes())
    };
    let answer = ask("webhook_callback_verification");
    assert_eq!((answer.status, text(&answer).as_str()), (200, "pogchamp-kappa-360noscope-vohiyo"));
    is_kept(&server, "twitch", "Twitch", "challenge");
    assert_eq!(ask("notification").json()["event_id"], "e76c6bd4");
    assert_eq!(server.newest()["event_type"], "channel.follow");
}

#[test]
fn azure_is_answered_with_its_code_and_graph_with_its_token() {
    let grid = server("handshake = \"event-grid\"\nsignature = \"none\"");
    let body = br#"[{"id":"2d1781af","topic":"/subscriptions/x","subject":"","data":{"validationCode":"512d38b6-c7b8-40c8-89fe-f46f9e9622b6","validationUrl":"https://rp-eastus2.eventgrid.azure.net:553/eventsubscriptions/x"},"eventType":"Microsoft.EventGrid.SubscriptionValidationEvent","eventTime":"2018-01-25T22:12:19.4556811Z","dataVersion":"1"}]"#;
    let answer = grid.post("/webhook/p", &[("aeg-event-type", "SubscriptionValidation")], body);
    assert_eq!(
        (answer.status, answer.json()),
        (200, json!({"validationResponse": "512d38b6-c7b8-40c8-89fe-f46f9e9622b6"}))
    );
    is_kept(&grid, "event-grid", "Azure Event Grid", "challenge");
    let graph = server("handshake = \"microsoft-graph\"\nsignature = \"none\"");
    let target = "/webhook/p?validationToken=Validation%3a+Testing+client+application+reachability+for+subscription+Request-Id%3a+a1";
    let answer = graph.post(target, &[("Content-Type", "text/plain; charset=utf-8")], b"");
    assert_eq!(
        (answer.status, text(&answer).as_str()),
        (200, "Validation: Testing client application reachability for subscription Request-Id: a1")
    );
    assert!(answer.header("content-type").unwrap().starts_with("text/plain"));
    is_kept(&graph, "microsoft-graph", "Microsoft Graph", "challenge");
}

#[test]
fn asana_hands_over_its_secret_once_and_signs_with_it_from_then_on() {
    let mut server = server("handshake = \"asana\"");
    let secret = "b537207f20cbfa02357cf448134da559e8bd39d61597dcd5631b8012eae53e81";
    let body = br#"{"events":[{"action":"changed","resource":{"gid":"1"}}]}"#;
    let event = |server: &Server, secret: &str| {
        let signature = hmac_hex(secret.as_bytes(), body);
        server.post("/webhook/p", &[("X-Hook-Signature", &signature)], body).status
    };
    assert_eq!(event(&server, secret), 401, "without a secret nobody is let in");
    let answer = server.post("/webhook/p", &[("X-Hook-Secret", secret)], b"{}");
    assert_eq!((answer.status, answer.header("x-hook-secret"), answer.body.len()), (200, Some(secret), 0));
    let kept = is_kept(&server, "asana", "Asana", "file:asana-secret-p");
    assert!(!kept.to_string().contains(secret) && !server.log().contains(secret), "it is never shown");
    let file = server.data_dir().join("asana-secret-p");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), secret);
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(event(&server, secret), 200);
    let id = server.newest()["id"].as_str().unwrap().to_owned();
    let replayed = server.tell("POST", &format!("deliveries/{id}/replay"), &json!({"to": "receiver"}));
    assert_eq!(replayed.json()["status"], 200, "a replay is signed with it: {}", text(&replayed));
    // Whoever comes after it does not take over.
    let other = secret.replace('b', "c");
    let answer = server.post("/webhook/p", &[("X-Hook-Secret", &other)], b"{}");
    assert_eq!((answer.status, answer.header("x-hook-secret")), (403, None));
    assert_eq!(event(&server, &other), 401);
    server = server.kill_and_restart();
    assert_eq!(event(&server, secret), 200, "it is known after a restart");
    std::fs::remove_file(&file).unwrap();
    server.signal("HUP");
    until("the reload", || event(&server, secret) == 401);
    assert_eq!(server.post("/webhook/p", &[("X-Hook-Secret", &other)], b"{}").status, 200);
    assert_eq!(event(&server, &other), 200);
}

#[test]
fn of_secrets_that_are_handed_over_at_once_exactly_one_is_kept() {
    let server = server("handshake = \"asana\"");
    let answers: Vec<(String, Answer)> = std::thread::scope(|scope| {
        let asked: Vec<_> = (0..8)
            .map(|number| {
                let secret = format!("a-secret-of-sender-{number}");
                let server = &server;
                scope.spawn(move || {
                    let answer = server.post("/webhook/p", &[("X-Hook-Secret", &secret)], b"{}");
                    (secret, answer)
                })
            })
            .collect();
        asked.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let taken: Vec<&String> =
        answers.iter().filter(|(_, answer)| answer.status == 200).map(|(secret, _)| secret).collect();
    assert_eq!(taken.len(), 1, "{answers:?}");
    assert!(answers.iter().all(|(_, answer)| matches!(answer.status, 200 | 403)));
    assert_eq!(&std::fs::read_to_string(server.data_dir().join("asana-secret-p")).unwrap(), taken[0]);
}

#[test]
fn xero_is_answered_without_a_body_and_401_where_it_signs_wrongly_on_purpose() {
    let server = server("handshake = \"xero\"\nsecrets = [\"file:key\"]");
    let body = br#"{"events":[],"lastEventSequence":0,"firstEventSequence":0,"entropy":"S0m3r4Nd0mt3xt"}"#;
    let digest = hex::decode(hmac_hex(KEY.as_bytes(), body)).unwrap();
    let answer = server.post("/webhook/p", &[("x-xero-signature", &STANDARD.encode(digest))], body);
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    is_kept(&server, "xero", "Xero", "signature is valid");
    let wrong = server.post("/webhook/p", &[("x-xero-signature", &STANDARD.encode([7; 32]))], body);
    assert_eq!((wrong.status, wrong.body.len()), (401, 0));
    let diagnosis = server.newest()["diagnosis"].as_str().unwrap().to_owned();
    assert!(diagnosis.contains("on purpose"), "{diagnosis}");
    let event = br#"{"events":[{"resourceId":"1","eventType":"UPDATE"}],"firstEventSequence":1}"#;
    let digest = hex::decode(hmac_hex(KEY.as_bytes(), event)).unwrap();
    let answer = server.post("/webhook/p", &[("x-xero-signature", &STANDARD.encode(digest))], event);
    assert_eq!(
        (answer.status, answer.body.len(), server.newest()["verdict"].as_str()),
        (200, 0, Some("accepted"))
    );
}

const IOT_LINK: &str =
    "https://iot.us-east-1.amazonaws.com/confirmdestination/AYADeMXLrPrNY2wqJAKsFNn-NBJndA";

fn iot_body(link: &str) -> String {
    json!({"arn": "arn:aws:iot:us-east-1:123456789012:ruledestination/http/7a280e37", "confirmationToken": "AYADeMXL",
        "enableUrl": link, "messageType": "DestinationConfirmation"})
    .to_string()
}

#[test]
fn the_link_of_aws_is_shown_and_never_another_one() {
    let server = server("handshake = \"aws-iot\"\nsignature = \"none\"");
    let headers = [("x-amz-rules-engine-message-type", "DestinationConfirmation")];
    let target = "/webhook/p/?confirmationToken=AYADeMXLrPrNY2wqJAKsFNn";
    let answer = server.post(target, &headers, iot_body(IOT_LINK).as_bytes());
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    let kept = is_kept(&server, "aws-iot", "AWS IoT", IOT_LINK);
    let page =
        exchange(server.inspector, "GET", &format!("/deliveries/{}", kept["id"].as_str().unwrap()), &[], b"");
    assert!(text(&page).contains(&format!("href=\"{IOT_LINK}\"")) && text(&page).contains("/confirm\""));
    for link in
        ["https://evil.example/confirmdestination/A", "http://169.254.169.254/confirmdestination/A", ""]
    {
        assert_eq!(server.post(target, &headers, iot_body(link).as_bytes()).status, 400, "{link}");
        let newest = server.newest();
        assert_eq!(newest["reason"], "handshake_malformed");
        let id = newest["id"].as_str().unwrap();
        assert_eq!(server.tell("POST", &format!("deliveries/{id}/confirm"), &json!({})).status, 409);
        let page = exchange(server.inspector, "GET", &format!("/deliveries/{id}"), &[], b"");
        assert!(!text(&page).contains("/confirm\""), "no button");
    }
}

#[test]
fn a_link_is_opened_through_the_senders_proxy_by_a_button_or_where_configured_by_the_program() {
    let proxy = Sink::scripted(|_, _| crate::harness::Reply::Status(502));
    let config = |confirm: &str| {
        format!(
            "[sender]\nproxy = \"http://{}\"\nproxy_resolves = true\n[[source]]\nname = \"p\"\nsignature = \"none\"\n\
             handshake = \"aws-sns\"\nhandshake_confirm = \"{confirm}\"\n",
            proxy.address
        )
    };
    let link = "https://sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:us-west-2:123456789012:MyTopic&Token=2336412f37";
    let body = json!({"Type": "SubscriptionConfirmation", "MessageId": "165545c9", "Token": "2336412f37",
        "TopicArn": "arn:aws:sns:us-west-2:123456789012:MyTopic", "SubscribeURL": link})
    .to_string();
    let headers = [
        ("x-amz-sns-message-type", "SubscriptionConfirmation"),
        ("Content-Type", "text/plain; charset=UTF-8"),
    ];
    let server = Setup::new(&config("ask")).start();
    assert_eq!(server.post("/webhook/p", &headers, body.as_bytes()).status, 200);
    let kept = is_kept(&server, "aws-sns", "AWS SNS", "open this link to confirm");
    assert_eq!(proxy.count(), 0, "nobody asked for it");
    let id = kept["id"].as_str().unwrap();
    let answer = server.tell("POST", &format!("deliveries/{id}/confirm"), &json!({}));
    assert_eq!(answer.status, 502, "the proxy refuses it: {}", text(&answer));
    let asked = &proxy.seen()[0];
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("CONNECT", "sns.us-west-2.amazonaws.com:443"));
    let server = server.kill_and_restart_with(&config("auto"));
    assert_eq!(server.post("/webhook/p", &headers, body.as_bytes()).status, 200);
    is_kept(&server, "aws-sns", "AWS SNS", "the link was not opened");
    assert_eq!(proxy.count(), 2);
    let elsewhere = body.replace("sns.us-west-2.amazonaws.com", "evil.example");
    assert_eq!(server.post("/webhook/p", &headers, elsewhere.as_bytes()).status, 400);
    assert_eq!(proxy.count(), 2, "nothing else is opened");
}

#[test]
fn a_handshake_without_its_line_is_named_with_the_line_to_add() {
    let server = server("signature = \"none\"");
    let slack = br#"{"challenge":"3eZbrw1a","type":"url_verification"}"#;
    let zoom = br#"{"payload":{"plainToken":"qgg8"},"event":"endpoint.url_validation"}"#;
    let iot = iot_body(IOT_LINK);
    for (headers, body, line) in [
        (&[][..], &slack[..], "handshake = \"slack\""),
        (&[], &zoom[..], "handshake = \"zoom\""),
        (&[("x-amz-rules-engine-message-type", "DestinationConfirmation")], iot.as_bytes(), IOT_LINK),
        (&[("X-Hook-Secret", "b537207f20cbfa02357cf448134da559")], b"{}", "handshake = \"asana\""),
        (&[("aeg-event-type", "SubscriptionValidation")], br#"[{"id":"1"}]"#, "handshake = \"event-grid\""),
    ] {
        server.post("/webhook/p", headers, body);
        let newest = server.newest();
        assert_ne!(newest["verdict"], "handshake");
        let diagnosis = newest["diagnosis"].as_str().unwrap();
        assert!(diagnosis.contains(line) && diagnosis.contains("to source “p”"), "{line}: {diagnosis}");
    }
    server.ask("GET", "/webhook/p?hub.mode=subscribe&hub.challenge=1&hub.verify_token=abcdefgh", &[]);
    server.ask("GET", "/webhook/p?crc_token=abc", &[]);
    let listed = server.api("refusals").to_string();
    assert!(
        listed.contains("handshake = \\\"meta\\\"") && listed.contains("handshake = \\\"x\\\""),
        "{listed}"
    );
    let attention = server.api("overview")["attention"].to_string();
    assert!(attention.contains("This is the handshake of "), "{attention}");
    assert_eq!(server.deliveries("verdict=handshake").len(), 0);
}

#[test]
fn a_handshake_is_never_forwarded_and_stays_behind_the_gates_of_its_source() {
    let sink = Sink::start();
    let config = "[[source]]\nname = \"p\"\nsignature = \"none\"\nhandshake = \"slack\"\nschema = \"off\"\n\
                  credentials = [{ bearer = \"file:key\" }]\n";
    let setup = Setup::new(config);
    setup.file("key", KEY);
    let server = setup.start();
    server.subscribe(&json!({"name": "all", "url": sink.url("/"), "events": ["*"]}));
    let body = br#"{"challenge":"3eZbrw1a","type":"url_verification"}"#;
    assert_eq!(server.post("/webhook/p", &[], body).status, 401);
    let bearer = format!("Bearer {KEY}");
    assert_eq!(server.post("/webhook/p", &[("Authorization", &bearer)], body).body, b"3eZbrw1a");
    assert_eq!(
        server.post("/webhook/p", &[("Authorization", &bearer)], login("e1").as_bytes()).word(),
        "processed"
    );
    let seen = sink.wait_for(1);
    assert!(seen.iter().all(|request| request.json()["event"] == "user.login"), "{seen:?}");
    assert_eq!(server.deliveries("verdict=handshake").len(), 1);
    let overview = server.api("overview").to_string();
    assert!(overview.contains("handshake"), "{overview}");
}

#[test]
fn a_configuration_that_cannot_answer_is_refused_with_what_is_allowed() {
    for (lines, part) in [
        ("handshake = \"slak\"\nsignature = \"none\"", "slack"),
        ("handshake = \"zoom\"\nsignature = \"none\"", "does not fit handshake = \"zoom\"; use \"zoom\""),
        ("handshake = \"zoom\"", "needs at least one secret"),
        ("handshake = \"okta\"\nsecrets = [\"file:key\"]", "\"none\""),
        ("handshake = \"meta\"\nsecrets = [\"file:key\"]", "handshake_token"),
        ("signature = \"none\"\nhandshake_token = \"file:key\"", "handshake_token"),
        ("handshake = \"okta\"\nsignature = \"none\"\nhandshake_confirm = \"auto\"", "aws-iot"),
        ("handshake = \"okta\"", "signature"),
    ] {
        let setup = Setup::new(&format!("[[source]]\nname = \"p\"\n{lines}\n"));
        setup.file("key", KEY);
        let ended = setup.command(&["check-config"]).output().unwrap();
        let told =
            String::from_utf8_lossy(&ended.stderr).into_owned() + &String::from_utf8_lossy(&ended.stdout);
        assert!(!ended.status.success() && told.contains(part), "{lines}: {told}");
    }
}
