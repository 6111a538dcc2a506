//! URLs of databases, right and wrong.

use super::*;

fn read(url: &str) -> Result<PostgresUrl, String> {
    PostgresUrl::read(url, Path::new("/data"))
}

fn fault(url: &str) -> String {
    let fault = read(url).unwrap_err();
    assert!(!fault.contains("sesame"), "{fault}");
    assert!(!fault.contains('\n'), "{fault}");
    fault
}

#[test]
fn a_url_is_read_as_libpq_reads_it() {
    let database = read("postgres://joe@db.example/hooks").unwrap();
    assert_eq!(database.hosts, [("db.example".to_owned(), 5432)]);
    assert_eq!((database.user.as_str(), database.name.as_str()), ("joe", "hooks"));
    assert_eq!((database.tls, database.must_be_writable), (TlsMode::Prefer, true));
    assert_eq!(database.connect_timeout, Duration::from_secs(2));
    assert!(database.password.is_none());
    let database = read(
        "postgresql://j%40e:open%20sesame@a:1,[2001:db8::1]:2,%2Frun%2Fpostgresql/h%C3%B6ks?sslmode=verify-full&\
         target_session_attrs=any&connect_timeout=9&application_name=a%26b&sslrootcert=ca.pem",
    )
    .unwrap();
    let hosts = [("a".to_owned(), 1), ("2001:db8::1".to_owned(), 2), ("/run/postgresql".to_owned(), 5432)];
    assert_eq!(database.hosts, hosts);
    assert_eq!((database.user.as_str(), database.name.as_str()), ("j@e", "höks"));
    assert_eq!(database.password.as_ref().unwrap().expose(), b"open sesame");
    assert_eq!((database.tls, database.must_be_writable), (TlsMode::VerifyFull, false));
    assert_eq!(database.roots, Roots::File("/data/ca.pem".into()));
    assert_eq!(database.connect_timeout, Duration::from_secs(9));
    assert_eq!(database.application_name.as_deref(), Some("a&b"));
    assert_eq!(database.shown(), "postgres://j@e@a:1,[2001:db8::1]:2,/run/postgresql:5432/höks");
    assert!(!format!("{database:?}").contains("sesame"));
}

#[test]
fn sslmode_means_what_it_means_to_libpq() {
    let mode = |query: &str| read(&format!("postgres://j@h/d?{query}")).unwrap().tls;
    assert_eq!(mode("sslmode=disable"), TlsMode::Disable);
    assert_eq!(mode("sslmode=prefer"), TlsMode::Prefer);
    assert_eq!(mode("sslmode=require"), TlsMode::Require);
    assert_eq!(mode("sslrootcert=/ca.pem&sslmode=require"), TlsMode::VerifyCa);
    assert_eq!(mode("sslmode=verify-ca&sslrootcert=/ca.pem"), TlsMode::VerifyCa);
    assert_eq!(mode("sslmode=verify-full"), TlsMode::VerifyFull);
    assert!(fault("postgres://j@h/d?sslmode=verify-ca").contains("needs sslrootcert=FILE"));
    assert!(
        fault("postgres://j@h/d?sslmode=verify-ca&sslrootcert=system").contains("needs sslrootcert=FILE")
    );
}

#[test]
fn each_fault_of_a_url_is_one_sentence_without_the_password() {
    for (url, part) in [
        ("postgres://", "a host is missing"),
        ("postgres:///d", "a host is missing"),
        ("postgres://h/d", "the user is missing"),
        ("postgres://j:sesame@h", "the database is missing"),
        ("postgres://j:sesame@h/", "the database is missing"),
        ("postgres://j:sesame@h:x/d", "the port of h is not a number"),
        ("postgres://j:sesame@h:0/d", "the port of h is not a number"),
        ("postgres://j:sesame@h:70000/d", "the port of h is not a number"),
        ("postgres://j:sesame@h,/d", "a host is missing"),
        ("postgres://j:sesame@[::1/d", "the port of ["),
        ("postgres://j:sesame@[h]/d", "[h] is not an IPv6 address"),
        ("postgres://j:sesame@[::1]5/d", "the port of ::1"),
        ("postgres://j:ses%FFame@h/d", "the password is not UTF-8"),
        ("postgres://j:sesame@h/d#x", "write \"#\" as %23"),
        (
            "postgres://j:sesame@h/d?sslmod=require",
            "unknown parameter \"sslmod\" (did you mean sslmode?); there are",
        ),
        ("postgres://j:sesame@h/d?options=-c%20x", "unknown parameter \"options\"; there are"),
        ("postgres://j@h/d?password=sesame", "store.password = \"file:NAME\""),
        ("postgres://j:sesame@h/d?sslmode=allow", "sslmode=allow is unknown; use disable, prefer, require"),
        ("postgres://j:sesame@h/d?sslrootcert=", "the path of a PEM file"),
        ("postgres://j:sesame@h/d?connect_timeout=0", "from 1 to 255"),
        ("postgres://j:sesame@h/d?target_session_attrs=standby", "does not fit a store"),
    ] {
        let fault = fault(url);
        assert!(fault.contains(part), "{url}: {fault}");
    }
    assert!(fault(&format!("postgres://{}@h/d", "u".repeat(64))).contains("longer than 63 bytes"));
    assert!(read(&format!("postgres://{}@h/d", "u".repeat(63))).is_ok());
}
