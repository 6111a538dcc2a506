//! Signs forwarded requests again, in the scheme of their source.

use std::collections::HashMap;

use serde_json::Value;

use super::lanes::Job;
use super::parcel::Parcel;
use crate::cli::fault::Fault;
use crate::cli::inspector::{Api, text};
use crate::config::SecretResolver;
use crate::domain::{Scheme, Secret, Timestamp};
use crate::signing;

/// Headers with the message id of the schemes that sign one.
const MESSAGE_IDS: [&str; 3] = ["webhook-id", "svix-id", "twitch-eventsub-message-id"];

/// Signs with one secret.
pub struct Signer {
    secret: Secret,
    /// The scheme of each source.
    schemes: HashMap<String, Scheme>,
}

impl Signer {
    /// A signer with the secret that `reference` names, for the sources of the running instance.
    ///
    /// # Errors
    /// The secret cannot be read, or the sources.
    pub async fn find(api: &Api, secrets: &SecretResolver, reference: &str) -> anyhow::Result<Self> {
        let secret =
            secrets.resolve(reference).map_err(|why| Fault::usage(format!("--sign {reference:?}: {why}")))?;
        let told = api.get("sources").await?;
        let sources = told.get("sources").and_then(Value::as_array).cloned().unwrap_or_default();
        let scheme = |source: &Value| {
            let name = text(source, "signature");
            Scheme::ALL.into_iter().find(|scheme| scheme.as_str() == name)
        };
        let schemes: HashMap<String, Scheme> =
            sources.iter().filter_map(|source| Some((text(source, "id"), scheme(source)?))).collect();
        signing::check_key(Scheme::Tagorun, &secret)
            .map_err(|why| Fault::usage(format!("--sign {reference:?}: {why}")))?;
        Ok(Self { secret, schemes })
    }

    /// The header lines of the delivery with a signature of now.
    ///
    /// # Errors
    /// When its scheme cannot sign with this secret.
    pub fn signed(
        &self,
        job: &Job,
        parcel: &Parcel,
        now: Timestamp,
    ) -> Result<Vec<(String, Vec<u8>)>, String> {
        // A source without signatures is signed as TagoRUN signs.
        let scheme = match self.schemes.get(&job.source) {
            None | Some(Scheme::None) => Scheme::Tagorun,
            Some(scheme) => *scheme,
        };
        let id = MESSAGE_IDS.into_iter().find_map(|name| parcel.header(name));
        let id = id.unwrap_or_else(|| format!("msg_{}", job.id));
        let lines = signing::sign(scheme, &self.secret, &id, now, &parcel.body)
            .map_err(|fault| format!("{} cannot sign: {fault}", self.secret.name()))?;
        let mut headers = parcel.headers.clone();
        headers.retain(|(name, _)| !scheme.signs_with(name));
        headers.extend(lines.into_iter().map(|(name, value)| (name, value.into_bytes())));
        Ok(headers)
    }
}
