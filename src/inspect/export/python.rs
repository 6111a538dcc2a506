//! A program for Python 3, without packages. The whole request is in bytes literals of plain ASCII.

use std::fmt::Write as _;

use super::request::{Piece, Request};

pub fn write(request: &Request<'_>, base: &str) -> String {
    let mut headers = String::new();
    for (name, value) in request.sent_again() {
        let _ =
            writeln!(headers, "connection.putheader({}, {})", literal(name.as_bytes()), expression(value));
    }
    let mut variables = String::new();
    for variable in request.variables.iter() {
        let _ = writeln!(variables, "# {}: {}.", variable.name, variable.meaning);
        let _ = writeln!(variables, "os.environ.get('{0}') or sys.exit('{0} is not set')", variable.name);
    }
    let is_tls = base.starts_with("https:");
    if is_tls {
        let about = "the receiver's certificate file, if Python does not trust the certificate";
        let _ = writeln!(variables, "# SSL_CERT_FILE: {about}.");
    }
    let host = base.split_once("://").map_or(base, |(_, host)| host);
    format!(
        "import http.client, os, sys\n\n{variables}body = {}\nconnection = http.client.{}({})\n\
         connection.putrequest({}.decode('latin-1'), ({}).decode('latin-1'), skip_accept_encoding=True)\n{headers}\
         connection.putheader('Content-Length', str(len(body)))\nconnection.endheaders(body)\n\
         answer = connection.getresponse()\nprint(answer.status, file=sys.stderr)\nsys.stdout.buffer.write(answer.read())\n",
        literal(request.body),
        if is_tls { "HTTPSConnection" } else { "HTTPConnection" },
        literal(host.as_bytes()) + ".decode()",
        literal(request.method.as_bytes()),
        expression(&request.target),
    )
}

fn expression(pieces: &[Piece]) -> String {
    let one = |piece: &Piece| match piece {
        Piece::Bytes(bytes) => literal(bytes),
        Piece::Credential(name) => format!("os.environ['{name}'].encode()"),
    };
    pieces.iter().map(one).collect::<Vec<_>>().join(" + ")
}

fn literal(bytes: &[u8]) -> String {
    let mut text = String::from("b'");
    for byte in bytes {
        match byte {
            b'\'' | b'\\' => {
                text.push('\\');
                text.push(char::from(*byte));
            }
            b'\n' => text.push_str("\\n"),
            _ if byte.is_ascii_graphic() || *byte == b' ' => text.push(char::from(*byte)),
            _ => {
                let _ = write!(text, "\\x{byte:02x}");
            }
        }
    }
    text.push('\'');
    text
}
