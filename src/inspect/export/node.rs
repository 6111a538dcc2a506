//! A program for Node, without packages. The whole request is in JSON strings or base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::request::{Piece, Request};

pub fn write(request: &Request<'_>, base: &str) -> String {
    let (headers, body) = (header_lines(request, |_| true), body_of(request));
    let (comments, guard) = (comments(request, base), guard(request));
    format!(
        "{comments}import http from 'node:http';\nimport https from 'node:https';\n\n{guard}const base = new URL({});\nconst body = {body};\n\
         const request = (base.protocol === 'https:' ? https : http).request({{\n  hostname: base.hostname,\n  port: base.port,\n  \
         method: {},\n  path: {},\n  setDefaultHeaders: false,\n  headers: [\n    'Host', base.host,\n{headers}    \
         'Content-Length', String(body.length),\n  ],\n}}, (answer) => {{\n  console.error(answer.statusCode);\n  \
         answer.pipe(process.stdout);\n}});\nrequest.end(body);\n",
        string(base),
        string(request.method),
        latin1(&request.target),
    )
}

/// A comment for each variable, and for the certificate of a receiver that speaks TLS.
pub fn comments(request: &Request<'_>, base: &str) -> String {
    let variables = request.variables.iter();
    let mut comments: String =
        variables.map(|variable| format!("// {}: {}.\n", variable.name, variable.meaning)).collect();
    if base.starts_with("https:") {
        comments.push_str(
            "// NODE_EXTRA_CA_CERTS: the receiver's certificate file, if Node does not trust the certificate.\n",
        );
    }
    comments
}

/// Ends the program where a variable is not set.
pub fn guard(request: &Request<'_>) -> String {
    let names: Vec<String> = request.variables.iter().map(|variable| string(&variable.name)).collect();
    if names.is_empty() {
        return String::new();
    }
    format!(
        "for (const name of [{}]) {{\n  if (!process.env[name]) throw new Error(`${{name}} is not set`);\n}}\n",
        names.join(", ")
    )
}

/// The lines that are sent again and whose names are `wanted`, as members of a list.
pub fn header_lines(request: &Request<'_>, wanted: impl Fn(&str) -> bool) -> String {
    let lines = request.sent_again().filter(|(name, _)| wanted(name));
    lines
        .map(|(name, value)| {
            format!("    {}, {},\n", latin1(&[Piece::Bytes(name.as_bytes().to_vec())]), latin1(value))
        })
        .collect()
}

/// The body as a buffer.
pub fn body_of(request: &Request<'_>) -> String {
    match std::str::from_utf8(request.body) {
        Ok(text) => format!("Buffer.from({}, 'utf8')", string(text)),
        Err(_) => format!("Buffer.from('{}', 'base64')", STANDARD.encode(request.body)),
    }
}

/// A string of JavaScript; JSON is one.
pub fn string(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

/// Bytes as a string that Node writes as these bytes: a letter for each.
pub fn latin1(pieces: &[Piece]) -> String {
    let one = |piece: &Piece| match piece {
        Piece::Bytes(bytes) => string(&bytes.iter().map(|byte| char::from(*byte)).collect::<String>()),
        Piece::Credential(name) => format!("process.env.{name}"),
    };
    pieces.iter().map(one).collect::<Vec<_>>().join(" + ")
}
