//! The only floor that knows the web server: the receiver's routes, the inspector's pages, the API.

mod admin_auth;
mod api;
mod body;
mod client_ip;
mod inspector;
mod limits;
mod listener;
mod problem;
mod receiver;
mod respond;
mod test_route;
mod wire_head;

pub use admin_auth::AdminAuth;
pub use body::{BodyBudget, BodyLimits};
pub use inspector::{Hosts, InspectorState, serve as serve_inspector, zero_state_curl};
pub use limits::AddressRate;
pub use listener::serve as serve_receiver;
pub use receiver::{ReceiverState, Rules};

// --- until the inspector is merged
/// x
#[derive(Clone)]
pub struct InspectorState;
/// x
pub struct InspectorParts {
    /// x
    pub store: crate::store::Store,
    /// x
    pub catalog: std::sync::Arc<crate::catalog::Catalog>,
    /// x
    pub sources: std::sync::Arc<dyn Fn() -> Vec<crate::domain::Source> + Send + Sync>,
    /// x
    pub receiver: std::net::SocketAddr,
    /// x
    pub inspector: std::net::SocketAddr,
    /// x
    pub password: Option<crate::config::PasswordHash>,
    /// x
    pub allowed_hosts: Vec<String>,
    /// x
    pub metrics: std::sync::Arc<crate::telemetry::Metrics>,
    /// x
    pub clock: std::sync::Arc<dyn crate::domain::Clock>,
}
impl InspectorState {
    /// x
    pub fn new(_: InspectorParts) -> Self {
        Self
    }
    /// x
    pub fn stop(&self) {}
}
/// x
pub fn serve_inspector(
    l: std::net::TcpListener,
    _: InspectorState,
) -> std::io::Result<actix_web::dev::Server> {
    Ok(actix_web::HttpServer::new(|| actix_web::App::new()).workers(1).disable_signals().listen(l)?.run())
}
