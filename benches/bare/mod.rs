//! The ceiling: a server of the same framework that only reads the body and answers 200, as a process of its own.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command};

use actix_web::{App, HttpResponse, HttpServer, web};

use crate::program::wait_for;

/// The running server; it ends with this value.
pub struct Bare {
    child: Child,
    pub address: SocketAddr,
}

impl Bare {
    /// Starts this bench once more, with `--bare`.
    pub fn start(folder: &Path) -> Self {
        let file = folder.join("bare");
        let child = Command::new(std::env::current_exe().unwrap()).arg("--bare").arg(&file).spawn().unwrap();
        let address = wait_for(|| fs::read_to_string(&file).ok()?.parse().ok());
        Self { child, address }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the started process does: it serves, and writes its address to `file`.
pub fn serve(file: &Path) {
    actix_web::rt::System::new().block_on(async {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = HttpServer::new(|| App::new().default_service(web::to(answer)))
            .workers(std::thread::available_parallelism().unwrap().get())
            .listen(listener)
            .unwrap()
            .run();
        fs::write(file, address).unwrap();
        server.await.unwrap();
    });
}

async fn answer(body: web::Bytes) -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({"status": "processed", "bytes": body.len()}))
}
