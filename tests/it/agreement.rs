//! The page, the API, `tail`, `verify` and every export say the same about a refused delivery.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::harness::{SECRET, Server, Setup, TOKEN, exchange, hmac_hex, login};

/// A request that is refused: path, header lines, body.
type Refused = (&'static str, Vec<(&'static str, String)>, Vec<u8>);

fn refused() -> Vec<Refused> {
    let body = login("evt_1").into_bytes();
    let signed = |body: &[u8]| ("X-TagoRUN-Signature", hmac_hex(SECRET.as_bytes(), body));
    let of = |secret: &str, body: &[u8]| ("X-TagoRUN-Signature", hmac_hex(secret.as_bytes(), body));
    let pretty = serde_json::to_vec_pretty(&serde_json::from_slice::<Value>(&body).unwrap()).unwrap();
    let json = || ("Content-Type", "application/json".to_owned());
    vec![
        ("/webhook/tagorun", vec![json()], body.clone()),
        ("/webhook/tagorun", vec![("X-TagoRUN-Signature", "zz".to_owned())], body.clone()),
        ("/webhook/tagorun", vec![of("another-secret-entirely-0123", &body)], body.clone()),
        ("/webhook/tagorun", vec![of(&format!("{SECRET}\n"), &body)], body.clone()),
        ("/webhook/tagorun", vec![signed(&pretty)], body.clone()),
        (
            "/webhook/tagorun",
            vec![signed(b"{\"event\":\"user.login\",}")],
            b"{\"event\":\"user.login\",}".to_vec(),
        ),
        (
            "/webhook/tagorun",
            vec![signed(b"{\"event\":\"user.login\"}")],
            b"{\"event\":\"user.login\"}".to_vec(),
        ),
        ("/webhook/tagorun", vec![signed(b"[1]")], b"[1]".to_vec()),
        ("/webhook/tagoio", vec![("Authorization", format!("Token {TOKEN}"))], b"[]".to_vec()),
        (
            "/webhook/tagoio",
            vec![("Authorization", "Bearer wrong-token-0123456789".to_owned())],
            b"[]".to_vec(),
        ),
        (
            "/webhook/tagoio",
            vec![("Authorization", format!("Bearer {TOKEN}")), ("TagoIO-Retries", "1".to_owned())],
            vec![],
        ),
        ("/webhook/nobody<b>", vec![json()], body),
    ]
}

/// The text of a page's element, as a browser shows it.
fn text_of(page: &str, id: &str) -> String {
    let start = page.find(&format!("id=\"{id}\"")).unwrap();
    let inner = page[start..].split_once('>').unwrap().1;
    let inner = inner.split(['<']).next().unwrap();
    let entities = [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")];
    let text = entities.iter().fold(inner.to_owned(), |text, (entity, letter)| text.replace(entity, letter));
    text.trim().to_owned()
}

/// What `tail` prints while `act` posts, a line for each of `count` deliveries.
fn tailed(server: &Server, count: usize, act: impl FnOnce()) -> Vec<String> {
    let mut command = server.command(&["tail"]);
    let mut tail = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines();
    // It follows from when it is connected: one delivery that arrives says that it is.
    let line = std::thread::scope(|scope| {
        let first = scope.spawn(|| lines.next().unwrap().unwrap());
        while !first.is_finished() {
            server.post("/webhook-test/ready", &[], b"");
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        first.join().unwrap()
    });
    assert!(line.contains("captured"), "{line}");
    act();
    let lines = lines.map(Result::unwrap).filter(|line| !line.contains("captured")).take(count).collect();
    tail.kill().unwrap();
    tail.wait().unwrap();
    lines
}

fn export(server: &Server, id: &str, format: &str) -> String {
    let answer = server.api_raw(&format!("deliveries/{id}/export?as={format}"));
    assert_eq!(answer.status, 200, "{format}");
    String::from_utf8(answer.body).unwrap()
}

#[test]
fn everything_says_the_same_about_a_refused_delivery() {
    let server = Setup::new("").start();
    let requests = refused();
    let lines = tailed(&server, requests.len(), || {
        for (path, headers, body) in &requests {
            let path = path.replace('<', "%3C").replace('>', "%3E");
            let headers: Vec<(&str, &str)> =
                headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            server.post(&path, &headers, body);
        }
    });
    let mut reasons = std::collections::BTreeSet::new();
    let mut named = 0;
    for ((path, headers, body), line) in requests.iter().zip(&lines) {
        let id = line.split_whitespace().last().unwrap();
        let delivery = server.delivery(id);
        let word = |name: &str| delivery[name].as_str().unwrap().to_owned();
        let (reason, diagnosis, status) = (word("reason"), word("diagnosis"), delivery["status"].to_string());
        reasons.insert(reason.clone());

        assert!(line.contains(&format!("  {status}  rejected ({reason})  ")), "{line}");
        let page = exchange(server.inspector, "GET", &format!("/deliveries/{id}"), &[], b"");
        let page = String::from_utf8(page.body).unwrap();
        let headline = word("headline");
        assert_eq!(text_of(&page, "headline"), headline, "{path}");
        assert!(diagnosis.starts_with(&format!("{headline}. ")), "{headline}: {diagnosis}");
        let listed = server.deliveries(&format!("ids={id}"));
        assert_eq!(listed[0]["headline"], headline.as_str(), "the list after its page was looked at");
        assert!(page.contains(&format!(">{}</a>", reason.replace('_', " "))), "{reason}");
        let failed = delivery["checks"].as_array().unwrap().iter().find(|check| check["outcome"] == "fail");
        if let Some(failed) = failed {
            assert_eq!(failed["reason"], reason.as_str());
        }

        let many = |format: &str| {
            let answer = server.api_raw(&format!("deliveries/export?as={format}&ids={id}"));
            String::from_utf8(answer.body).unwrap()
        };
        assert_eq!(serde_json::from_str::<Value>(many("jsonl").trim()).unwrap(), delivery);
        assert!(many("csv").contains(&format!(",rejected,{reason},{status},")), "{}", many("csv"));
        assert!(many("csv").contains(&headline), "{headline}: {}", many("csv"));
        for archive in [export(&server, id, "har"), many("har")] {
            let archive: Value = serde_json::from_str(&archive).unwrap();
            let entry = &archive["log"]["entries"][0];
            assert_eq!(entry["comment"], format!("rejected: {reason}"));
            assert_eq!(entry["response"]["status"].to_string(), status);
        }
        assert!(export(&server, id, "test").contains(&format!("is answered {status}")));

        if path == &"/webhook/tagorun"
            && reason.starts_with("signature")
            && !headers.iter().any(|line| line.0 == "Content-Type")
        {
            let file = server.data_dir().join("body");
            std::fs::write(&file, body).unwrap();
            let lines: Vec<String> = delivery["headers"]
                .as_array()
                .unwrap()
                .iter()
                .map(|line| format!("{}: {}", line[0].as_str().unwrap(), line[1].as_str().unwrap()))
                .collect();
            let mut arguments = vec!["verify", file.to_str().unwrap(), "--source", "tagorun"];
            arguments.extend(lines.iter().flat_map(|line| ["--header", line.as_str()]));
            let output = server.command(&arguments).output().unwrap();
            let said = String::from_utf8(output.stdout).unwrap();
            assert!(said.starts_with(&format!("not valid ({reason}): ")), "{said}");
            if let Some(sentence) = delivery["autopsy"]["sentence"].as_str() {
                assert!(said.contains(sentence) && diagnosis.contains(sentence), "{said} {diagnosis}");
                named += 1;
            }
            if let Some(variant) = delivery["autopsy"]["variant"].as_str() {
                assert!(said.contains(&format!("{variant}: ")), "{said}");
                assert!(page.contains(&variant.replace('+', " and ")), "{variant}");
            }
        }
    }
    assert!(reasons.len() >= 7, "{reasons:?}");
    assert!(named >= 3, "the autopsies were compared");
}
