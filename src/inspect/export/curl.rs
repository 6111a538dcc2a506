//! A line for any POSIX shell. The whole request is in single quotes, or in octal if it is not text.

use std::fmt::Write as _;

use super::request::{Piece, Request};

/// Headers that curl adds.
const OF_CURL: [&str; 4] = ["Accept", "User-Agent", "Content-Type", "Expect"];

/// The longest body that is an argument of its own, in bytes; Linux takes up to 131,071.
const MAX_ARGUMENT: usize = 100_000;

/// `options` are those that reach `base`, with a blank in front of each.
pub fn write(request: &Request<'_>, base: &str, options: &str) -> String {
    // An unset variable ends it, with a message that names its purpose.
    let mut line: String = request
        .variables
        .iter()
        .map(|variable| format!(": \"${{{}:?{}}}\" &&\n", variable.name, variable.meaning))
        .collect();
    let is_text = std::str::from_utf8(request.body).is_ok_and(|text| !text.contains('\0'));
    // `printf` is the shell's own and takes any length; a program's argument does not.
    let is_argument = is_text && request.body.len() <= MAX_ARGUMENT;
    if !is_argument {
        let _ = write!(line, "printf {} | ", printf(request.body));
    }
    // No globbing, no tidying of dots: the path as it is.
    line.push_str("curl -sS -g --path-as-is ");
    if request.method == "HEAD" && request.body.is_empty() {
        // With -X curl would wait for a body that never comes.
        line.push_str("--head ");
    } else {
        let _ = write!(line, "-X {} ", quoted(&[Piece::Bytes(request.method.into())]));
    }
    let mut url = vec![Piece::Bytes(base.into())];
    url.extend(request.target.iter().cloned());
    line.push_str(&quoted(&url));
    line.push_str(options);
    for (name, value) in request.sent_again() {
        let _ = write!(line, " \\\n  -H {}", header(name, value));
    }
    for name in OF_CURL.into_iter().filter(|name| !request.has(name)) {
        let _ = write!(line, " \\\n  -H '{name}:'");
    }
    if !is_argument {
        line.push_str(" \\\n  --data-binary @-");
    } else if !request.body.is_empty() || !matches!(request.method, "GET" | "HEAD" | "OPTIONS") {
        let _ = write!(line, " \\\n  --data-raw {}", quoted(&[Piece::Bytes(request.body.to_vec())]));
    }
    line.push('\n');
    line
}

fn header(name: &str, value: &[Piece]) -> String {
    let is_empty = value.iter().all(|piece| matches!(piece, Piece::Bytes(bytes) if bytes.is_empty()));
    if is_empty {
        // With a colon curl would leave the header out.
        return quoted(&[Piece::Bytes(format!("{name};").into_bytes())]);
    }
    let mut line = vec![Piece::Bytes(format!("{name}: ").into_bytes())];
    line.extend(value.iter().cloned());
    quoted(&line)
}

/// One word of the shell.
fn quoted(pieces: &[Piece]) -> String {
    let one = |piece: &Piece| match piece {
        Piece::Credential(name) => format!("\"${name}\""),
        Piece::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => format!("'{}'", text.replace('\'', r"'\''")),
            Err(_) => format!("\"$(printf {})\"", printf(bytes)),
        },
    };
    joined(pieces).iter().map(one).collect()
}

/// Neighbouring bytes as one piece.
fn joined(pieces: &[Piece]) -> Vec<Piece> {
    let mut all: Vec<Piece> = Vec::new();
    for piece in pieces {
        match (all.last_mut(), piece) {
            (Some(Piece::Bytes(before)), Piece::Bytes(bytes)) => before.extend_from_slice(bytes),
            _ => all.push(piece.clone()),
        }
    }
    all
}

/// The format of a `printf` that writes these bytes.
fn printf(bytes: &[u8]) -> String {
    let mut format = String::from("'");
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b" .,:;/_-=+&?{}[]\"".contains(byte) {
            format.push(char::from(*byte));
        } else {
            let _ = write!(format, "\\{byte:03o}");
        }
    }
    format.push('\'');
    // A format that begins with a dash would be an option.
    if format.starts_with("'-") { format!("-- {format}") } else { format }
}
