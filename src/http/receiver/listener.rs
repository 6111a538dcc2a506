//! The receiver's port: the web server over connections that record what they read.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::{Extensions, HttpService, Request};
use actix_server::Server;
use actix_service::{ServiceFactory, ServiceFactoryExt as _, fn_service, map_config};
use actix_web::dev::AppConfig;
use actix_web::{App, HttpResponse, web};
use tokio::net::{TcpStream, UnixStream};

use super::body::{self, BodyLength};
use super::handler::{self, WireRequest};
use super::respond;
use super::state::ReceiverState;
use crate::http::connection::caller::Caller;
use crate::http::connection::listening::Listening;
use crate::http::connection::other_end::{OtherEnd, Said};
use crate::http::connection::proxy_protocol;
use crate::http::connection::recorded_stream::RecordedStream;
use crate::http::connection::tls::Begun;
use crate::http::connection::traffic::Port;
use crate::http::connection::transport::Transport;
use crate::http::connection::wire::Wire;
use crate::http::connection::wire_head::{TapeBudget, WireTape};
use crate::telemetry::NotKept;

/// The library that logs every invalid request as an error: strangers could fill the log.
pub const NOISY_LIBRARY: &str = "actix_http";

/// How long an idle connection is kept.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// Serves the receiver on `listening` with `workers` threads until its port is closed.
///
/// # Errors
/// When the listener cannot be used.
pub fn serve(listening: Listening, workers: usize, state: ReceiverState) -> io::Result<(Server, Port)> {
    let traffic = state.door.traffic.clone();
    let tapes = TapeBudget::default();
    let server = Server::build().workers(workers).backlog(2048).disable_signals();
    let server = match listening {
        Listening::Tcp(listener) => {
            server.listen("receiver", listener, move || service::<TcpStream>(state.clone(), tapes.clone()))?
        }
        Listening::Unix(listener) => server
            .listen_uds("receiver", listener, move || service::<UnixStream>(state.clone(), tapes.clone()))?,
    };
    let server = server.run();
    let port = Port { server: server.handle(), traffic };
    Ok((server, port))
}

/// Serves one connection after another.
fn service<S: Transport>(
    state: ReceiverState,
    tapes: TapeBudget,
) -> impl ServiceFactory<S, Config = (), Response = (), Error = DispatchError, InitError = ()> {
    let (closing, head_timeout) = (state.door.traffic.clone(), state.door.head_timeout);
    let state = web::Data::new(state);
    let (opening, expecting) = (state.clone(), state.clone());
    let app = App::new().app_data(state).default_service(web::to(handler::handle));
    let http = HttpService::build()
        .graceful_shutdown_signal(move || {
            let closing = closing.clone();
            async move { closing.closing().await }
        })
        .keep_alive(KEEP_ALIVE)
        .client_request_timeout(head_timeout)
        .expect(fn_service(move |request: Request| expect(expecting.clone(), request)))
        .on_connect_ext(|stream: &RecordedStream<Wire<S>>, data: &mut Extensions| {
            data.insert(stream.tape());
            data.insert(stream.caller());
            data.insert(stream.end());
        })
        .h1(map_config(app, |()| AppConfig::default()));
    fn_service(move |stream: S| open(stream, opening.clone(), tapes.clone())).and_then(http)
}

/// Opens a connection: first reads what a trusted proxy says, then makes the TLS handshake, if there is one.
async fn open<S: Transport>(
    mut stream: S,
    state: web::Data<ReceiverState>,
    tapes: TapeBudget,
) -> Result<(RecordedStream<Wire<S>>, Option<SocketAddr>), DispatchError> {
    stream.send_at_once();
    let peer = stream.peer();
    let mut end = OtherEnd::of(peer.map(|peer| peer.ip()));
    let is_proxy = {
        let rules = state.rules.load();
        let proxies = &rules.trusted_proxies;
        proxies.proxy_protocol && end.peer.map_or(proxies.unix, |peer| proxies.contain(peer))
    };
    let mut ahead = Vec::new();
    if is_proxy {
        let opening = proxy_protocol::open(&mut stream, state.door.head_timeout).await;
        end.said = opening.said.unwrap_or(Said::Nothing);
        ahead = opening.ahead;
        if opening.said.is_none() {
            RecordedStream::new(Wire::Clear(stream), end, tapes, state.door.clone())
                .after(ahead)
                .refuse(None);
            return Err(io::Error::from(io::ErrorKind::InvalidData).into());
        }
    }
    match state.tls.begin(stream, ahead, state.door.head_timeout).await {
        Begun::Served(wire, ahead) => {
            Ok((RecordedStream::new(wire, end, tapes, state.door.clone()).after(ahead), peer))
        }
        Begun::Clear(wire, ahead) => {
            let is_proxy = ahead.starts_with(proxy_protocol::V1) || ahead.starts_with(proxy_protocol::V2);
            let cause = (!is_proxy).then_some(NotKept::TlsHandshake);
            RecordedStream::new(wire, end, tapes, state.door.clone()).after(ahead).refuse(cause);
            Err(io::Error::from(io::ErrorKind::InvalidData).into())
        }
        Begun::Failed(why) => {
            state.door.no_handshake(end.nearest(), why);
            Err(io::Error::from(io::ErrorKind::InvalidData).into())
        }
    }
}

/// `Expect: 100-continue`: an oversized body is rejected before it is sent. Some proxies send it anyway, because they
/// have already told their client to continue. It is then read and discarded.
async fn expect(state: web::Data<ReceiverState>, mut request: Request) -> Result<Request, HttpResponse> {
    let tape: Option<WireTape> = request.conn_data::<WireTape>().cloned();
    let end = request.conn_data::<OtherEnd>().copied();
    let end = end.unwrap_or_else(|| OtherEnd::of(request.peer_addr().map(|peer| peer.ip())));
    let caller: Option<Caller> = request.conn_data::<Caller>().cloned();
    let wire = WireRequest { head: request.head(), tape: tape.as_ref(), caller: caller.as_ref(), end };
    let Some(mut refusal) = state.refuse_unsent(wire).await else { return Ok(request) };
    respond::never_cached(&mut refusal);
    let (body, length) = (request.take_payload(), BodyLength::of(request.head()));
    let limits = state.rules.load().body;
    Err(refusal.map_body(|_, answer| body::read_on(answer, body, length, limits)))
}
