//! Tells which environment variables are options, which are mistyped options, and which belong to other programs.

use crate::domain::{distance, nearest};

/// The prefix of our variables.
pub const PREFIX: &str = "TAGOHOOK_";
/// Variables that correspond to flags.
pub const FLAG_VARIABLES: [&str; 4] =
    ["TAGOHOOK_CONFIG", "TAGOHOOK_DATA_DIR", "TAGOHOOK_LISTEN", "TAGOHOOK_INSPECT_LISTEN"];
/// Variables with the inspector's password, for commands; the first one that is set counts.
pub const CREDENTIAL_VARIABLES: [&str; 2] = ["TAGOHOOK_PASSWORD", "TAGOHOOK_TOKEN"];

/// More different letters mean another word: `INSPECTOR_HOST` is not `INSPECTOR_LISTEN`.
const SLIP: usize = 3;

/// A variable with our prefix that is not an option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stranger {
    /// Similar to the name of this option.
    Typo(String),
    /// Created by Kubernetes or Docker for a service with our name.
    ServiceLink,
    /// From another program, such as a build script.
    Foreign,
}

/// Classifies a variable that is not an option; `options` are the names of all options.
pub fn stranger(name: &str, value: &str, options: &[String]) -> Option<Stranger> {
    let own = name.strip_prefix(PREFIX)?;
    let known = || {
        let fixed = FLAG_VARIABLES.into_iter().chain(CREDENTIAL_VARIABLES);
        options.iter().map(String::as_str).chain(fixed)
    };
    if known().any(|known| known == name) {
        return None;
    }
    if is_service_link(own, value) {
        return Some(Stranger::ServiceLink);
    }
    // The prefix is always the same: it must not make two short names look similar.
    let near = nearest(own, known().filter_map(|known| known.strip_prefix(PREFIX)));
    let near = near.filter(|near| distance(own, near) <= SLIP);
    Some(near.map_or(Stranger::Foreign, |near| Stranger::Typo(format!("{PREFIX}{near}"))))
}

/// Whether Kubernetes creates this variable for a Service, or Docker for a link ("Accessing the Service" and "Docker
/// Links" in their documentation): `…_SERVICE_HOST`, `…_SERVICE_PORT[_NAME]`, `…_PORT` and `…_PORT_80_TCP[_ADDR]`.
fn is_service_link(own: &str, value: &str) -> bool {
    // The part before is the rest of the service's name: empty for a service named tagohook.
    let ends = |mark: &str| own.strip_suffix(mark).is_some_and(|rest| rest.is_empty() || rest.ends_with('_'));
    let is_port =
        ends("PORT") && ["tcp://", "udp://", "sctp://"].into_iter().any(|scheme| value.starts_with(scheme));
    let is_service = ends("SERVICE_HOST") || own.starts_with("SERVICE_PORT") || own.contains("_SERVICE_PORT");
    is_port || is_service || is_numbered_port(own)
}

/// `PORT_8080_TCP`, alone or followed by `_PROTO`, `_PORT` or `_ADDR`.
fn is_numbered_port(own: &str) -> bool {
    let own = ["_PROTO", "_PORT", "_ADDR"].into_iter().find_map(|end| own.strip_suffix(end)).unwrap_or(own);
    let number = ["_TCP", "_UDP", "_SCTP"].into_iter().find_map(|end| own.strip_suffix(end));
    number.and_then(|text| text.rsplit_once("PORT_")).is_some_and(|(before, digits)| {
        let is_word = before.is_empty() || before.ends_with('_');
        is_word && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// The URL of the PostgreSQL server of the tests, if there is one.
#[cfg(test)]
#[must_use]
pub fn server_of_tests() -> Option<String> {
    std::env::var("TAGOHOOK_TEST_POSTGRES").ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(name: &str, value: &str) -> Option<Stranger> {
        let options = [
            "TAGOHOOK_RECEIVER_LISTEN",
            "TAGOHOOK_RECEIVER_MAX_BODY",
            "TAGOHOOK_RECEIVER_TRUSTED_PROXIES",
            "TAGOHOOK_INSPECTOR_LISTEN",
            "TAGOHOOK_INSPECTOR_PASSWORD_FILE",
            "TAGOHOOK_STORE_URL",
            "TAGOHOOK_LOG_LEVEL",
            "TAGOHOOK_LOG_FORMAT",
        ];
        stranger(name, value, &options.map(str::to_owned))
    }

    #[test]
    fn what_kubernetes_and_docker_make_for_a_service_of_our_name_is_let_by() {
        for service in ["TAGOHOOK", "TAGOHOOK_RECEIVER", "TAGOHOOK_INSPECTOR"] {
            for (end, value) in [
                ("SERVICE_HOST", "10.96.12.7"),
                ("SERVICE_PORT", "8080"),
                ("SERVICE_PORT_HTTP", "8080"),
                ("PORT", "tcp://10.96.12.7:8080"),
                ("PORT", "udp://10.96.12.7:8080"),
                ("PORT_8080_TCP", "tcp://10.96.12.7:8080"),
                ("PORT_8080_TCP_PROTO", "tcp"),
                ("PORT_8080_TCP_PORT", "8080"),
                ("PORT_8080_TCP_ADDR", "10.96.12.7"),
                ("PORT_53_UDP", "udp://10.96.12.7:53"),
            ] {
                let name = format!("{service}_{end}");
                assert_eq!(seen(&name, value), Some(Stranger::ServiceLink), "{name}");
            }
        }
    }

    #[test]
    fn a_variable_of_somebody_else_is_told_from_a_typo() {
        for name in [
            "VERSION",
            "BIN",
            "LOG",
            "INSPECTOR",
            "URL",
            "HOME",
            "HOST",
            "PORT",
            "IMAGE",
            "TAG",
            "RECEIVER_URL",
            "INSPECTOR_URL",
            "INSPECTOR_HOST",
            "INSPECTOR_PASSWORD",
            "INSPECTOR_PORT",
            "SECRET",
            "ENV",
            "USER",
            "DEBUG",
            "SRC",
            "ROOT",
        ] {
            assert_eq!(seen(&format!("TAGOHOOK_{name}"), "x"), Some(Stranger::Foreign), "{name}");
        }
        for (name, meant) in [
            ("RECEIVER_LISTN", "RECEIVER_LISTEN"),
            ("RECEIVER_MAXBODY", "RECEIVER_MAX_BODY"),
            ("RECEIVER_TRUSTED_PROXY", "RECEIVER_TRUSTED_PROXIES"),
            ("CONFG", "CONFIG"),
            ("DATADIR", "DATA_DIR"),
            ("LISTN", "LISTEN"),
            ("PASWORD", "PASSWORD"),
            ("LOG_LEVL", "LOG_LEVEL"),
        ] {
            let typo = Stranger::Typo(format!("TAGOHOOK_{meant}"));
            assert_eq!(seen(&format!("TAGOHOOK_{name}"), "x"), Some(typo), "{name}");
        }
        for known in ["TAGOHOOK_PASSWORD", "TAGOHOOK_TOKEN", "TAGOHOOK_LISTEN", "TAGOHOOK_LOG_LEVEL", "PATH"]
        {
            assert_eq!(seen(known, "x"), None, "{known}");
        }
    }
}
