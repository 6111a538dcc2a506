//! What is entered at the sender of a source: ready to copy, without any secret.

use super::source_rules::short_name;
use crate::domain::{Credential, Handshake, Scheme, Secret, Source, plain};

/// One field of the sender's form.
pub struct Field {
    /// What the sender calls it.
    pub label: &'static str,
    /// What is entered.
    pub value: String,
    /// Whether it is to be copied as it is; a description of a secret is not.
    pub is_literal: bool,
    /// The secret that is entered here, and what is written before it.
    secret: Option<(&'static str, Secret)>,
}

/// What is entered at a sender.
pub struct Setup {
    /// Where: `TagoRUN`, `Slack`.
    pub sender: String,
    /// Where in its menus; may be empty.
    pub place: &'static str,
    /// The fields, in order.
    pub fields: Vec<Field>,
    /// A piece of the sender's configuration file, where it has one.
    pub file: Option<String>,
}

impl Setup {
    /// The settings of a source whose URL is `url`.
    #[must_use]
    pub fn of(source: &Source, url: &str) -> Self {
        if let Some(preset) = source.preset.as_deref().and_then(|preset| of_preset(preset, source, url)) {
            return preset;
        }
        if let Some(rule) = &source.handshake {
            return of_handshake(rule.kind, source, url);
        }
        let (sender, place, label) = match source.signature.scheme {
            Scheme::Tagorun => ("TagoRUN", "Webhook settings", "Webhook URL"),
            Scheme::Github => ("GitHub", "Settings › Webhooks › Add webhook", "Payload URL"),
            Scheme::Stripe => ("Stripe", "Developers › Webhooks › Add endpoint", "Endpoint URL"),
            Scheme::StandardWebhooks => ("Sender with Standard Webhooks", "", "Endpoint URL"),
            Scheme::Platform(platform) => (platform.as_str(), "", "Webhook URL"),
            Scheme::Hmac(_) => (source.preset.as_deref().unwrap_or("Sender"), "", "Webhook URL"),
            Scheme::None if source.name == "tagoio" => {
                ("TagoIO", "Actions › Post data to HTTP End-Point", "End-Point URL")
            }
            Scheme::None => ("Sender", "", "URL"),
        };
        let mut fields = vec![literal(label, url)];
        if source.signature.scheme == Scheme::Github {
            fields.push(literal("Content type", "application/json"));
        }
        fields.extend(secret(source));
        fields.extend(credential(source));
        Self { sender: sender.to_owned(), place, fields, file: None }
    }

    /// What the secrets are, where the sender needs some: `token`.
    #[must_use]
    pub fn secret_word(&self) -> &'static str {
        let mut secrets = self.fields.iter().filter(|field| field.secret.is_some());
        match (secrets.next(), secrets.next()) {
            (None, _) => "",
            (Some(Field { secret: Some((BEARER, _)), .. }), None) => "token",
            (Some(_), None) => "secret",
            (Some(_), Some(_)) => "secrets",
        }
    }

    /// With the secrets in clear, ready to copy.
    #[must_use]
    pub fn with_secrets(mut self) -> Self {
        for field in &mut self.fields {
            let Some((prefix, secret)) = &field.secret else { continue };
            if let Ok(text) = std::str::from_utf8(secret.expose()) {
                field.value = format!("{prefix}{text}");
                field.is_literal = true;
            }
        }
        self
    }
}

/// What is written before a token.
const BEARER: &str = "Bearer ";

fn literal(label: &'static str, value: &str) -> Field {
    Field { label, value: plain(value), is_literal: true, secret: None }
}

/// Where the value of a secret is found.
fn contents(secret: &Secret) -> String {
    let name = plain(short_name(secret));
    match secret.name().split_once(':') {
        Some(("file", _)) => format!("the contents of the file {name}"),
        Some(("env", _)) => format!("the value of the variable {name}"),
        _ => format!("the secret {name}"),
    }
}

fn described(label: &'static str, value: String) -> Field {
    Field { label, value, is_literal: false, secret: None }
}

/// A field for a secret of ours.
fn entered(label: &'static str, secret: &Secret) -> Field {
    Field { secret: Some(("", secret.clone())), ..described(label, contents(secret)) }
}

/// The signing secret: entered at the sender, or made by the sender and entered here.
fn secret(source: &Source) -> Option<Field> {
    let secret = source.signature.secrets.first()?;
    Some(match source.signature.scheme {
        Scheme::Stripe => described(
            "Signing secret",
            format!("copy whsec_… from Stripe into {}", plain(short_name(secret))),
        ),
        Scheme::Platform(_) | Scheme::Hmac(_) => {
            described("Signing secret", format!("copy it from the sender into {}", plain(short_name(secret))))
        }
        _ => entered("Secret", secret),
    })
}

/// The header of the first credential.
fn credential(source: &Source) -> Vec<Field> {
    match source.credentials.first() {
        None => Vec::new(),
        Some(Credential::Bearer(token)) => vec![
            literal("Header name", "Authorization"),
            Field {
                secret: Some((BEARER, token.clone())),
                ..described("Header value", format!("Bearer, a space, then {}", contents(token)))
            },
        ],
        Some(Credential::Basic { username, password }) => {
            vec![literal("User", username), entered("Password", password)]
        }
        Some(Credential::ApiKey { key, secret, header, secret_header }) => {
            let mut fields = vec![literal("Header name", header), entered("Header value", key)];
            if let Some(secret) = secret {
                fields.push(literal("Second header name", secret_header));
                fields.push(entered("Second header value", secret));
            }
            fields
        }
    }
}

fn of_handshake(kind: Handshake, source: &Source, url: &str) -> Setup {
    let mut fields = vec![literal("Webhook URL", url)];
    fields.extend(secret(source));
    if let Some(token) = source.handshake.as_ref().and_then(|rule| rule.token.as_ref()) {
        fields.push(entered("Verify token", token));
    }
    fields.extend(credential(source));
    Setup { sender: kind.sender().to_owned(), place: "", fields, file: None }
}

fn of_preset(preset: &str, source: &Source, url: &str) -> Option<Setup> {
    let setup = |sender: &str, place, mut fields: Vec<Field>, file: Option<String>| {
        fields.extend(credential(source));
        Some(Setup { sender: sender.to_owned(), place, fields, file })
    };
    match preset {
        "chirpstack" => {
            let fields = vec![literal("Payload encoding", "JSON"), literal("Event endpoint URL(s)", url)];
            setup("ChirpStack", "Application › Integrations › HTTP", fields, None)
        }
        "the-things-stack" => {
            let fields = vec![
                literal("Webhook format", "JSON"),
                literal("Base URL", url),
                described("Enabled event types", "each with its own path, as /up".to_owned()),
            ];
            setup("The Things Stack", "Application › Webhooks › Add webhook", fields, None)
        }
        "alertmanager" => {
            let file = format!("receivers:\n  - name: tagohook\n    webhook_configs:\n      - url: {url}\n");
            setup("Alertmanager", "alertmanager.yml", Vec::new(), Some(file))
        }
        "docker-registry" => {
            let file = format!("notifications:\n  endpoints:\n    - name: tagohook\n      url: {url}\n");
            setup("Docker registry", "config.yml", Vec::new(), Some(file))
        }
        "node-red" => {
            let fields = vec![literal("Method", "POST"), literal("URL", url)];
            setup("Node-RED", "http request node", fields, None)
        }
        "apprise" => {
            let apprise = url.replacen("http", "json", 1);
            setup("Apprise", "", vec![literal("URL", &apprise)], None)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(scheme: Scheme) -> Source {
        Source::plain("alerts", scheme)
    }

    fn told(setup: &Setup) -> Vec<String> {
        setup.fields.iter().map(|field| format!("{}: {}", field.label, field.value)).collect()
    }

    #[test]
    fn each_kind_of_sender_gets_its_own_fields_and_no_secret() {
        let mut tagorun = source(Scheme::Tagorun);
        tagorun.signature.secrets = vec![Secret::new("file:signing-secret", b"s3cret".as_slice())];
        let setup = Setup::of(&tagorun, "http://h/webhook/tagorun");
        assert_eq!(
            told(&setup),
            ["Webhook URL: http://h/webhook/tagorun", "Secret: the contents of the file signing-secret"]
        );
        let mut tagoio = source(Scheme::None);
        tagoio.name = "tagoio".to_owned();
        tagoio.credentials = vec![Credential::Bearer(Secret::new("file:tagoio-token", b"t0ken".as_slice()))];
        let setup = Setup::of(&tagoio, "http://h/webhook/tagoio");
        assert_eq!(setup.sender, "TagoIO");
        assert_eq!(told(&setup)[1], "Header name: Authorization");
        assert_eq!(
            told(&setup)[2],
            "Header value: Bearer, a space, then the contents of the file tagoio-token"
        );
        assert_eq!(setup.secret_word(), "token");
        assert_eq!(told(&setup.with_secrets())[2], "Header value: Bearer t0ken");
        let mut apprise = source(Scheme::None);
        apprise.preset = Some("apprise".to_owned());
        assert_eq!(told(&Setup::of(&apprise, "https://h/webhook/a")), ["URL: jsons://h/webhook/a"]);
    }
}
