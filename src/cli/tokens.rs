//! `tagohook tokens`: list, create, revoke.

use std::process::ExitCode;

use anyhow::bail;
use serde_json::{Value, json};

use super::arguments::{Globals, Rows, Tokens, TokensCommand};
use super::inspector::{self, Api, encoded, text};
use super::output::say;
use super::table::show_rows;

/// Runs the command on the tokens of the running instance.
pub fn run(globals: &Globals, asked: &Tokens) -> anyhow::Result<ExitCode> {
    inspector::run(async {
        let api = Api::find(globals, &asked.inspector)?;
        match &asked.command {
            TokensCommand::List(rows) => list(&api, *rows).await,
            TokensCommand::Create { name, scope, rows } => create(&api, name, scope.as_str(), *rows).await,
            TokensCommand::Revoke { token } => revoke(&api, token).await,
        }
    })
}

async fn all(api: &Api) -> anyhow::Result<Vec<Value>> {
    let told = api.get("tokens").await?;
    Ok(told.get("tokens").and_then(Value::as_array).cloned().unwrap_or_default())
}

async fn list(api: &Api, how: Rows) -> anyhow::Result<ExitCode> {
    let cells = |token: &Value| {
        let used = token.get("last_used_at").and_then(Value::as_str).unwrap_or("never").to_owned();
        let tail = format!("…{}", text(token, "tail"));
        vec![
            text(token, "id"),
            text(token, "name"),
            text(token, "scope"),
            tail,
            text(token, "created_at"),
            used,
        ]
    };
    let heading = ["ID", "NAME", "SCOPE", "TOKEN", "CREATED", "LAST USED"];
    let none = "no tokens; `tagohook tokens create NAME --scope read` creates one";
    show_rows(&all(api).await?, how, &heading, cells, none)?;
    Ok(ExitCode::SUCCESS)
}

async fn create(api: &Api, name: &str, scope: &str, how: Rows) -> anyhow::Result<ExitCode> {
    let told = api.post("tokens", json!({"name": name, "scope": scope}).to_string().into()).await?;
    // Only the token, so that a script can keep it in a variable.
    let shown = if how.json { say!("{told}") } else { say!("{}", text(&told, "token")) };
    if shown.is_err() {
        // Nobody has seen the token, and it is shown only once.
        api.delete(&format!("tokens/{}", encoded(&text(&told, "id")))).await?;
    }
    shown?;
    Ok(ExitCode::SUCCESS)
}

async fn revoke(api: &Api, id_or_name: &str) -> anyhow::Result<ExitCode> {
    let tokens = all(api).await?;
    let by = |key: &str| -> Vec<String> {
        tokens.iter().filter(|token| text(token, key) == id_or_name).map(|token| text(token, "id")).collect()
    };
    let found = Some(by("id")).filter(|found| !found.is_empty()).unwrap_or_else(|| by("name"));
    match &*found {
        [id] => {
            api.delete(&format!("tokens/{}", encoded(id))).await?;
            say!("revoked {id}")?;
            Ok(ExitCode::SUCCESS)
        }
        [] => bail!("no token {id_or_name:?}; `tagohook tokens list` lists them"),
        several => bail!("{id_or_name:?} is the name of several tokens; use an id: {}", several.join(", ")),
    }
}
