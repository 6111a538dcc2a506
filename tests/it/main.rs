//! Black-box tests: the real program on real ports with a real store in a temporary directory.

mod harness;

mod allowlist;
mod architecture;
mod catalogue;
mod credentials;
mod durability;
mod http_edge;
mod idempotency;
mod json;
mod json_suite;
mod octokit;
mod signature;
