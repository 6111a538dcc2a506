//! `sslmode` on a server with a certificate of an authority of its own.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use crate::harness::{Database, Setup, login};

/// An authority `ca.pem`, another one `other.pem`, and a certificate of the first for the name `localhost`.
fn certificates(folder: &Path) {
    let openssl = |arguments: &str| {
        let made =
            Command::new("openssl").args(arguments.split_whitespace()).current_dir(folder).output().unwrap();
        assert!(made.status.success(), "{arguments}: {}", String::from_utf8_lossy(&made.stderr));
    };
    for authority in ["ca", "other"] {
        openssl(&format!(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN={authority} -keyout {authority}.key \
             -out {authority}.pem"
        ));
    }
    fs::write(folder.join("names"), "subjectAltName = DNS:localhost\nbasicConstraints = CA:FALSE\n").unwrap();
    openssl(
        "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -keyout server.key -out server.csr",
    );
    openssl(
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.pem",
    );
}

/// The server reads its key by itself: it belongs to its user.
fn encrypt(database: &Database, folder: &Path) {
    for (file, setting) in [("server.key", "ssl_key_file"), ("server.pem", "ssl_cert_file")] {
        let text = fs::read_to_string(folder.join(file)).unwrap();
        let own = database.sql("SELECT current_setting('data_directory')") + "/" + file;
        let lines = text.lines().map(|line| format!("'{line}'")).collect::<Vec<_>>().join(", ");
        database.sql(&format!("COPY (SELECT unnest(ARRAY[{lines}])) TO '{own}'"));
        fs::set_permissions(&own, fs::Permissions::from_mode(0o600)).unwrap();
        database.sql(&format!("ALTER SYSTEM SET {setting} = '{own}'"));
    }
    database.sql("ALTER SYSTEM SET ssl = on");
    database.sql("SELECT pg_reload_conf()");
    std::thread::sleep(std::time::Duration::from_millis(300));
}

#[test]
fn each_sslmode_means_what_it_means_to_libpq() {
    let database = Database::start();
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path());
    let ca = folder.path().join("ca.pem").display().to_string();
    let other = folder.path().join("other.pem").display().to_string();
    let setup = |host: &str, query: &str| {
        let setup = Setup::new(&format!(
            "[store]\nurl = \"postgres://postgres@{host}:{}/postgres?{query}\"\n",
            database.port()
        ));
        setup.file("store-key", "6f1d2c3b4a59687786950a1b2c3d4e5f60718293a4b5c6d7e8f9a0b1c2d3e4f5");
        setup
    };
    let refused = |host: &str, query: &str, part: &str| {
        let listen = ["serve", "--listen", "127.0.0.1:0", "--inspect-listen", "127.0.0.1:0"];
        let output = setup(host, query).command(&listen).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(part), "{query}: {said}");
    };
    let is_encrypted = |host: &str, query: &str| {
        let node = setup(host, query).start();
        assert_eq!(node.post_signed(login("a").as_bytes()).status, 200);
        let states = "SELECT string_agg(DISTINCT ssl::text, ',') FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                      WHERE application_name = 'tagohook'";
        database.sql(states)
    };
    refused("127.0.0.1", "sslmode=require", "the server does not support TLS");
    assert_eq!(is_encrypted("127.0.0.1", "sslmode=prefer"), "false");
    encrypt(&database, folder.path());
    assert_eq!(is_encrypted("127.0.0.1", "sslmode=disable"), "false");
    assert_eq!(is_encrypted("127.0.0.1", "sslmode=prefer"), "true");
    assert_eq!(is_encrypted("127.0.0.1", "sslmode=require"), "true");
    assert_eq!(is_encrypted("127.0.0.1", &format!("sslmode=verify-ca&sslrootcert={ca}")), "true");
    assert_eq!(is_encrypted("localhost", &format!("sslmode=verify-full&sslrootcert={ca}")), "true");
    refused(
        "127.0.0.1",
        &format!("sslmode=verify-full&sslrootcert={ca}"),
        "the server's certificate is for another host name",
    );
    for mode in ["require", "verify-ca", "verify-full"] {
        let query = format!("sslmode={mode}&sslrootcert={other}");
        refused("localhost", &query, "is not signed by a known authority");
    }
    refused("localhost", "sslmode=verify-full", "is not signed by a known authority");
    let empty = folder.path().join("names").display().to_string();
    refused("localhost", &format!("sslmode=verify-full&sslrootcert={empty}"), "contains no certificate");
}
