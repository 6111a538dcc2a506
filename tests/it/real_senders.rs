//! Programs of others deliver to a source: Alertmanager and the Docker registry, as Debian packages them.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::harness::{Server, Setup, exchange, until};

const CONFIG: &str = r#"
[[source]]
name = "alertmanager"
signature = "none"
schema = "warn"
[[source]]
name = "alertmanager-preset"
signature = "none"
preset = "alertmanager"
[[source]]
name = "registry"
signature = "none"
schema = "off"
[[source]]
name = "registry-preset"
signature = "none"
preset = "docker-registry"
"#;

/// A program that runs until the test ends.
struct Daemon {
    address: SocketAddr,
    child: Child,
    _folder: tempfile::TempDir,
}

impl Daemon {
    /// Starts `program` on a free port; `arguments` get the port's address and the folder, and make the configuration.
    fn start(program: &str, arguments: impl Fn(SocketAddr, &Path) -> Vec<String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut command = Command::new(program);
        command.args(arguments(address, folder.path())).current_dir(folder.path());
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = child.unwrap_or_else(|fault| panic!("{program}, which ./test installs: {fault}"));
        let mut daemon = Self { address, child, _folder: folder };
        until(program, || {
            assert!(daemon.child.try_wait().unwrap().is_none(), "{program} ended");
            TcpStream::connect(address).is_ok()
        });
        daemon
    }

    fn post(&self, method: &str, target: &str, kind: &str, body: &[u8]) -> crate::harness::Answer {
        exchange(self.address, method, target, &[("Content-Type", kind)], body)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The body of a delivery as JSON.
fn body(server: &Server, row: &Value) -> Value {
    serde_json::from_slice(&server.raw(row["id"].as_str().unwrap())).unwrap()
}

#[test]
fn alerts_of_alertmanager_are_events() {
    let server = Setup::new(CONFIG).start();
    let url =
        |source: &str| format!("{{url: 'http://{}/webhook/{source}', send_resolved: true}}", server.receiver);
    let urls = [url("alertmanager"), url("alertmanager-preset")].join(", ");
    let alertmanager = Daemon::start("prometheus-alertmanager", |address, folder| {
        let config = format!(
            "route: {{receiver: hook, group_wait: 10ms, group_interval: 1s, repeat_interval: 1h}}\n\
             receivers: [{{name: hook, webhook_configs: [{urls}]}}]\n"
        );
        std::fs::write(folder.join("alertmanager.yml"), config).unwrap();
        let words = ["--config.file=alertmanager.yml", "--storage.path=data", "--cluster.listen-address="];
        let listen = format!("--web.listen-address={address}");
        words.map(str::to_owned).into_iter().chain([listen]).collect()
    });
    let alert =
        json!({"labels": {"alertname": "Hot", "room": "A & <B>"}, "annotations": {"summary": "30 °C"}});
    let fire = |alert: &Value| {
        let answer = alertmanager.post(
            "POST",
            "/api/v2/alerts",
            "application/json",
            json!([alert]).to_string().as_bytes(),
        );
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    };
    fire(&alert);
    let of = |source: &str| server.deliveries(&format!("source={source}"));
    let rows = |count: usize| {
        until("the alert", || of("alertmanager").len() == count && of("alertmanager-preset").len() == count);
        [of("alertmanager").remove(0), of("alertmanager-preset").remove(0)]
    };
    let fired = rows(1);
    let mut ended = alert;
    ended["endsAt"] = json!("2026-01-01T00:00:00Z");
    fire(&ended);
    for (status, [bare, named]) in [("firing", fired), ("resolved", rows(2))] {
        assert_eq!((&bare["verdict"], &bare["status"]), (&json!("accepted"), &json!(200)), "{bare}");
        assert_eq!(
            (&named["verdict"], &named["event_type"]),
            (&json!("accepted"), &json!(status)),
            "{named}"
        );
        for row in [bare, named] {
            let sent = body(&server, &row);
            assert_eq!((&sent["version"], &sent["status"]), (&json!("4"), &json!(status)));
            assert_eq!(sent["alerts"][0]["labels"]["room"], "A & <B>");
        }
    }
}

#[test]
fn notifications_of_the_docker_registry_are_events() {
    let server = Setup::new(CONFIG).start();
    let endpoint = |source: &str| {
        let url = format!("http://{}/webhook/{source}", server.receiver);
        format!("{{name: {source}, url: '{url}', timeout: 5s, threshold: 5, backoff: 100ms}}")
    };
    let endpoints = [endpoint("registry"), endpoint("registry-preset")].join(", ");
    let registry = Daemon::start("docker-registry", |address, folder| {
        let config = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}/data}}}}\nhttp: {{addr: '{address}'}}\n\
             notifications: {{endpoints: [{endpoints}]}}\n",
            folder.display()
        );
        std::fs::write(folder.join("registry.yml"), config).unwrap();
        vec!["serve".to_owned(), "registry.yml".to_owned()]
    });
    let digest = |bytes: &[u8]| format!("sha256:{}", hex::encode(Sha256::digest(bytes)));
    let layer = br#"{"architecture":"amd64","os":"linux"}"#;
    let begun = registry.post("POST", "/v2/pump/blobs/uploads/", "text/plain", b"");
    assert_eq!(begun.status, 202, "{}", String::from_utf8_lossy(&begun.body));
    let location = begun.header("location").unwrap().to_owned();
    let path = location.split_once("/v2/").unwrap().1;
    let upload = format!("/v2/{path}&digest={}", digest(layer));
    assert_eq!(registry.post("PUT", &upload, "application/octet-stream", layer).status, 201);
    let kind = "application/vnd.docker.distribution.manifest.v2+json";
    let config = json!({"mediaType": "application/vnd.docker.container.image.v1+json", "size": layer.len(), "digest": digest(layer)});
    let manifest = json!({"schemaVersion": 2, "mediaType": kind, "config": config, "layers": []}).to_string();
    assert_eq!(registry.post("PUT", "/v2/pump/manifests/latest", kind, manifest.as_bytes()).status, 201);

    let all = |source: &str| server.deliveries(&format!("verdict=accepted&source={source}"));
    for (source, name) in [("registry", json!("unknown")), ("registry-preset", json!("push"))] {
        until("both notifications", || all(source).len() >= 2);
        let rows: Vec<Value> = all(source).into_iter().rev().collect();
        let events: Vec<Value> = rows.iter().map(|row| body(&server, row)["events"][0].clone()).collect();
        let seen: Vec<(&Value, &Value)> =
            events.iter().map(|event| (&event["action"], &event["target"]["digest"])).collect();
        let push = json!("push");
        assert_eq!(seen, [(&push, &json!(digest(layer))), (&push, &json!(digest(manifest.as_bytes())))]);
        assert_eq!(events[1]["target"]["tag"], "latest");
        assert!(rows.iter().all(|row| row["event_type"] == name), "{rows:?}");
    }
    assert!(server.deliveries("verdict=rejected").is_empty());
}
