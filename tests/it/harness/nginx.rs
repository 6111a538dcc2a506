//! A real nginx in front of a server.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// An nginx that runs.
pub struct Nginx {
    pub address: SocketAddr,
    child: Child,
    _folder: tempfile::TempDir,
}

impl Nginx {
    /// A port that nobody listens on. It is not one of those that the system hands out: another test could be given it
    /// before it is used.
    pub fn free_address() -> SocketAddr {
        loop {
            let address = SocketAddr::from(([127, 0, 0, 1], rand::random_range(10_000..32_000)));
            if TcpListener::bind(address).is_ok() {
                return address;
            }
        }
    }

    /// One that listens on `address`, with these directives in its `server`.
    pub fn start(address: SocketAddr, server: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = format!(
            "daemon off; master_process off; pid {0}/pid; error_log {0}/error.log; worker_processes 1; events {{}}\n\
             http {{ access_log off; client_max_body_size 0; proxy_request_buffering off;\n\
             client_body_temp_path {0}/b; proxy_temp_path {0}/p; fastcgi_temp_path {0}/f; uwsgi_temp_path {0}/u;\n\
             scgi_temp_path {0}/s; proxy_http_version 1.1; server {{ listen {address}; {server} }} }}",
            folder.path().display(),
        );
        std::fs::write(folder.path().join("nginx.conf"), config).unwrap();
        let child = Command::new("nginx")
            .arg("-e")
            .arg(folder.path().join("error.log"))
            .arg("-c")
            .arg(folder.path().join("nginx.conf"))
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let nginx = Self { address, child, _folder: folder };
        let until = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(address).is_err() {
            assert!(Instant::now() < until, "nginx does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        nginx
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
