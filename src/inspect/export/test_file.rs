//! A test for Node's own runner: it sends the delivery, signed again if it has the secret, and expects what was
//! answered then. The whole request is in JSON strings or base64.

use std::borrow::Cow;

use super::node::{body_of, comments, guard, header_lines, latin1, string};
use super::request::Request;
use crate::domain::{HmacForm, Platform, Scheme, SignedPart, StoredDelivery, TimePlace};

/// What signs a body in each scheme, as members of a list of header lines.
fn signing(scheme: Scheme, request: &Request<'_>) -> Cow<'static, str> {
    let fixed = match scheme {
        Scheme::Hmac(form) => return Cow::Owned(described(form, request)),
        Scheme::None => "[]",
        Scheme::Tagorun => "['X-TagoRUN-Signature', hmac(secret, 'hex', body)]",
        Scheme::Github => "['X-Hub-Signature-256', 'sha256=' + hmac(secret, 'hex', body)]",
        Scheme::Stripe => "['Stripe-Signature', `t=${now},v1=${hmac(secret, 'hex', `${now}.`, body)}`]",
        Scheme::Platform(platform) => match platform {
            Platform::Slack => {
                "['X-Slack-Request-Timestamp', now, 'X-Slack-Signature', 'v0=' + hmac(secret, 'hex', `v0:${now}:`, body)]"
            }
            Platform::Zoom => {
                "['x-zm-request-timestamp', now, 'x-zm-signature', 'v0=' + hmac(secret, 'hex', `v0:${now}:`, body)]"
            }
            Platform::Twitch => {
                "['Twitch-Eventsub-Message-Id', id, 'Twitch-Eventsub-Message-Timestamp', now, 'Twitch-Eventsub-Message-Signature', 'sha256=' + hmac(secret, 'hex', id, now, body)]"
            }
            Platform::Asana => "['X-Hook-Signature', hmac(secret, 'hex', body)]",
            Platform::Dropbox => "['X-Dropbox-Signature', hmac(secret, 'hex', body)]",
            Platform::Xero => "['x-xero-signature', hmac(secret, 'base64', body)]",
            Platform::X => "['x-twitter-webhooks-signature', 'sha256=' + hmac(secret, 'base64', body)]",
        },
        Scheme::StandardWebhooks => {
            "['webhook-id', id, 'webhook-timestamp', now, 'webhook-signature', 'v1,' + hmac(key, 'base64', `${id}.${now}.`, body)]"
        }
    };
    Cow::Borrowed(fixed)
}

/// What signs a body in a form that the configuration describes.
fn described(form: &HmacForm, request: &Request<'_>) -> String {
    let target = latin1(&request.target);
    let part = |part: &SignedPart| match part {
        SignedPart::Text(text) => string(text),
        SignedPart::Body => "body".to_owned(),
        SignedPart::Time => "now".to_owned(),
        SignedPart::Id => "id".to_owned(),
        SignedPart::Method => string(request.method),
        SignedPart::Path => target.clone(),
        SignedPart::Url => format!("base.origin, {target}"),
        SignedPart::Form => {
            "[...new URLSearchParams(String(body))].map((field) => field.join('')).sort().join('')".to_owned()
        }
    };
    let parts: Vec<String> = form.signed.iter().map(part).collect();
    let (algorithm, encoding) = (form.algorithm.as_str(), form.encoding.as_str());
    let digest = format!(
        "[{}].reduce((mac, part) => mac.update(part), createHmac('{algorithm}', secret)).digest('{encoding}')",
        parts.join(", ")
    );
    let mut lines = Vec::new();
    let mut before = string(&form.prefix);
    match &form.time {
        Some(TimePlace::Header(name)) => lines.push(format!("{}, now", string(name))),
        Some(TimePlace::Inside(start)) => before = format!("{} + now + ',' + {before}", string(start)),
        None => {}
    }
    lines.extend(form.id.iter().map(|name| format!("{}, id", string(name))));
    lines.push(format!("{}, {before} + {digest}", string(&form.header)));
    format!("[{}]", lines.join(", "))
}

pub fn write(request: &Request<'_>, delivery: &StoredDelivery, scheme: Scheme, base: &str) -> String {
    let others = header_lines(request, |name| !scheme.signs_with(name));
    let original = header_lines(request, |name| scheme.signs_with(name));
    let row = &delivery.row;
    let secret = if scheme == Scheme::None {
        ""
    } else {
        "// WEBHOOK_SECRET: signs it again; without, it is sent with its original signature.\n"
    };
    let (comments, guard) = (comments(request, base), guard(request));
    let name = format!("{} is answered {}", row.event_type.as_deref().unwrap_or("a delivery"), row.status);
    format!(
        "// A stored delivery as a test: node --test FILE\n\
         // WEBHOOK_URL: where it is sent, if not to the receiver it came from.\n{secret}{comments}\
         import assert from 'node:assert/strict';\nimport {{ createHmac }} from 'node:crypto';\nimport http from 'node:http';\n\
         import https from 'node:https';\nimport test from 'node:test';\n\n{guard}\
         const base = new URL(process.env.WEBHOOK_URL ?? {});\nconst secret = process.env.WEBHOOK_SECRET;\n\
         const body = {};\nconst now = String(Math.floor(Date.now() / 1000));\nconst id = {};\n\
         const key = /^(v1,)?whsec_/.test(secret ?? '') ? Buffer.from(secret.replace(/^(v1,)?whsec_/, ''), 'base64') : secret;\n\
         const hmac = (key, form, ...parts) => {{\n  const mac = createHmac('sha256', key);\n  \
         for (const part of parts) mac.update(part);\n  return mac.digest(form);\n}};\n\
         const original = [\n{original}];\nconst signature = secret === undefined ? original : {};\n\n\
         const send = () => new Promise((answered, failed) => {{\n  \
         const request = (base.protocol === 'https:' ? https : http).request({{\n    hostname: base.hostname,\n    port: base.port,\n    \
         method: {},\n    path: {},\n    setDefaultHeaders: false,\n    headers: [\n      'Host', base.host,\n{others}      \
         ...signature,\n      'Content-Length', String(body.length),\n    ],\n  }}, (answer) => {{\n    answer.resume();\n    \
         answered(answer.statusCode);\n  }});\n  request.on('error', failed);\n  request.end(body);\n}});\n\n\
         test({}, async () => {{\n  assert.equal(await send(), {});\n}});\n",
        string(base),
        body_of(request),
        string(&format!("msg_{}", row.id)),
        signing(scheme, request),
        string(request.method),
        latin1(&request.target),
        string(&name),
        row.status,
    )
}

/// What a test of a delivery is called.
pub fn file_name(delivery: &StoredDelivery) -> String {
    format!("delivery-{}.test.mjs", delivery.row.id)
}
