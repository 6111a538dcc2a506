//! The receiver's port: the web server over connections that record what they read.

use std::net::TcpListener;
use std::time::Duration;

use actix_http::{Extensions, HttpService, Request};
use actix_server::Server;
use actix_service::{ServiceFactoryExt as _, fn_service, map_config};
use actix_web::dev::AppConfig;
use actix_web::{App, HttpResponse, web};
use tokio::net::TcpStream;

use super::caller::Caller;
use super::receiver::{self, WireRequest};
use super::receiver_state::ReceiverState;
use super::recorded_stream::RecordedStream;
use super::traffic::Port;
use super::wire_head::{TapeBudget, WireTape};

/// The layer of the server that calls every request that is none an error: strangers could fill the log with them.
pub const NOISY_LIBRARY: &str = "actix_http";

/// How long an idle connection is kept.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// Serves the receiver on `listener` with `workers` threads until its port is closed.
///
/// # Errors
/// When the listener cannot be used.
pub fn serve(listener: TcpListener, workers: usize, state: ReceiverState) -> std::io::Result<(Server, Port)> {
    let door = state.door.clone();
    let (traffic, head_timeout) = (door.traffic.clone(), door.head_timeout);
    let tapes = TapeBudget::default();
    let server = Server::build()
        .workers(workers)
        .backlog(2048)
        .disable_signals()
        .listen("receiver", listener, move || {
            let (door, closing) = (door.clone(), door.traffic.clone());
            let state = web::Data::new(state.clone());
            let expecting = state.clone();
            let app = App::new().app_data(state).default_service(web::to(receiver::handle));
            let http = HttpService::build()
                .graceful_shutdown_signal(move || {
                    let closing = closing.clone();
                    async move { closing.closing().await }
                })
                .keep_alive(KEEP_ALIVE)
                .client_request_timeout(head_timeout)
                .expect(fn_service(move |request: Request| expect(expecting.clone(), request)))
                .on_connect_ext(|stream: &RecordedStream, data: &mut Extensions| {
                    data.insert(stream.tape());
                    data.insert(stream.caller());
                })
                .h1(map_config(app, |()| AppConfig::default()));
            let tapes = tapes.clone();
            fn_service(move |stream: TcpStream| {
                let peer = stream.peer_addr().ok();
                // Answers are short and wanted now.
                let _ = stream.set_nodelay(true);
                let stream = RecordedStream::new(stream, tapes.clone(), door.clone());
                std::future::ready(Ok((stream, peer)))
            })
            .and_then(http)
        })?
        .run();
    let port = Port { server: server.handle(), traffic };
    Ok((server, port))
}

/// `Expect: 100-continue`: an oversize body is refused before it is sent.
async fn expect(state: web::Data<ReceiverState>, request: Request) -> Result<Request, HttpResponse> {
    let tape: Option<WireTape> = request.conn_data::<WireTape>().cloned();
    let caller: Option<Caller> = request.conn_data::<Caller>().cloned();
    let wire = WireRequest { head: request.head(), tape: tape.as_ref(), caller: caller.as_ref() };
    match state.refuse_unsent(wire).await {
        Some(refusal) => Err(refusal),
        None => Ok(request),
    }
}
