//! `handshake` of a source: the question its platform asks before it sends.

use std::fs;

use toml::Value;

use super::{Reader, one_of};
use crate::domain::{HandedSecret, Handshake, HandshakeRule, Scheme, Secret};

/// A user opens the confirmation link.
const ASK: &str = "ask";
/// The program opens it.
const AUTO: &str = "auto";

impl Reader<'_, '_> {
    /// The platform of `handshake`; the outer `None` is a fault.
    pub(super) fn handshake_kind(&mut self) -> Option<Option<Handshake>> {
        let words: Vec<&str> = Handshake::ALL.iter().map(|kind| kind.as_str()).collect();
        self.value("handshake", None, |value| match value.as_str() {
            Some("") => Ok(None),
            _ => {
                let word = one_of(value, &words)?;
                Ok(Handshake::ALL.iter().copied().find(|kind| kind.as_str() == word))
            }
        })
    }

    /// The complete rule; the outer `None` is a fault.
    pub(super) fn handshake(
        &mut self,
        kind: Option<Handshake>,
        name: Option<&str>,
    ) -> Option<Option<HandshakeRule>> {
        let opens = self.word("handshake_confirm", &[ASK, AUTO], ASK)?;
        let token = self.table.get("handshake_token").and_then(Value::as_str).map(str::to_owned);
        let Some(kind) = kind else {
            if token.is_some_and(|token| !token.is_empty()) || opens == AUTO {
                return self
                    .fault("handshake", "missing; handshake_token and handshake_confirm belong to it");
            }
            return Some(None);
        };
        let token = match token.filter(|token| !token.is_empty()) {
            None if kind == Handshake::Meta => {
                let what = "missing; the verify token that you enter at Meta, as \"file:meta-verify-token\"";
                return self.fault("handshake_token", what);
            }
            None => None,
            Some(_) if kind != Handshake::Meta => {
                return self.fault("handshake_token", "only \"meta\" presents one; remove this line");
            }
            Some(reference) => Some(self.handshake_token(&reference)?),
        };
        let is_link = matches!(kind, Handshake::AwsIot | Handshake::AwsSns);
        if opens == AUTO && !is_link {
            return self.fault("handshake_confirm", "only \"aws-iot\" and \"aws-sns\" ask to open a link");
        }
        let handed = match (kind, name) {
            (Handshake::Asana, Some(name)) => self.handed(name)?,
            _ => HandedSecret::default(),
        };
        Some(Some(HandshakeRule { kind, token, opens_links: opens == AUTO, handed }))
    }

    fn handshake_token(&mut self, reference: &str) -> Option<Secret> {
        match self.secrets.resolve(reference) {
            Ok(secret) => Some(secret),
            Err(what) => self.fault("handshake_token", &what),
        }
    }

    /// The secret that was handed over before.
    fn handed(&mut self, source: &str) -> Option<HandedSecret> {
        let name = format!("asana-secret-{source}");
        let file = self.secrets.data_dir.join(&name);
        let known = match fs::exists(&file) {
            Ok(true) => match self.secrets.resolve(&format!("file:{name}")) {
                Ok(secret) => Some(secret),
                Err(what) => return self.fault("handshake", &what),
            },
            Ok(false) | Err(_) => None,
        };
        Some(HandedSecret::new(file, known))
    }

    /// Checks whether a source with that handshake may have this scheme.
    pub(super) fn check_scheme(&mut self, kind: Option<Handshake>, scheme: Scheme) -> Option<()> {
        let Some(kind) = kind.filter(|kind| !kind.schemes().contains(&scheme)) else { return Some(()) };
        let allowed: Vec<String> =
            kind.schemes().iter().map(|scheme| format!("{:?}", scheme.as_str())).collect();
        let what = format!(
            "{:?} does not fit handshake = {:?}; use {}",
            scheme.as_str(),
            kind.as_str(),
            allowed.join(" or ")
        );
        self.fault("signature", &what)
    }
}
