//! Addresses that are never reached: link-local and cloud metadata always, private ones in shared installations.
//!
//! A host is checked by its address, however it is spelled. A name is checked by the addresses it resolves to, and the
//! client connects to the checked address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// An address that must not be reached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{address} is never reached: {why}")]
pub struct Blocked {
    /// The address.
    pub address: IpAddr,
    /// What kind of address it is.
    pub why: &'static str,
}

/// A name that does not resolve.
#[derive(Debug, thiserror::Error)]
#[error("{name} does not resolve: {cause}")]
pub struct Unresolved {
    name: String,
    cause: String,
}

/// Why another system must not resolve this name.
#[derive(Debug, thiserror::Error)]
pub enum NameFault {
    /// It resolves to an address that is never reached.
    #[error(transparent)]
    Blocked(#[from] Blocked),
    /// It does not resolve here.
    #[error(transparent)]
    Unresolved(#[from] Unresolved),
}

/// Checks addresses.
#[derive(Clone, Copy, Debug)]
pub struct TargetGuard {
    deny_private: bool,
}

impl TargetGuard {
    /// A guard that also refuses loopback and private addresses if `deny_private` is set.
    #[must_use]
    pub const fn new(deny_private: bool) -> Self {
        Self { deny_private }
    }

    /// Checks the host of a URL if it is an address; names are checked when they are resolved.
    ///
    /// # Errors
    /// When the address is never reached.
    pub fn check_url(&self, url: &Url) -> Result<(), Blocked> {
        match url.host() {
            Some(Host::Ipv4(address)) => self.check_address(address.into()),
            Some(Host::Ipv6(address)) => self.check_address(address.into()),
            Some(Host::Domain(name)) if self.deny_private && is_localhost(name) => {
                Err(Blocked { address: Ipv4Addr::LOCALHOST.into(), why: "it is this machine" })
            }
            Some(Host::Domain(_)) | None => Ok(()),
        }
    }

    /// Checks an address, and the IPv4 address inside it, if any.
    ///
    /// # Errors
    /// When it is never reached.
    pub fn check_address(&self, address: IpAddr) -> Result<(), Blocked> {
        let inside = match address {
            IpAddr::V4(_) => None,
            IpAddr::V6(address) => inner_ipv4(address).map(IpAddr::V4),
        };
        for judged in [Some(address), inside].into_iter().flatten() {
            let private = || if self.deny_private { private(judged) } else { None };
            if let Some(why) = forbidden(judged).or_else(private) {
                return Err(Blocked { address, why });
            }
        }
        Ok(())
    }

    /// Checks the name of a URL that another system will resolve again: all its addresses must be allowed.
    /// `may_be_unknown` lets a name pass that does not resolve here.
    ///
    /// # Errors
    /// When one of its addresses is never reached, or it has none.
    pub async fn check_name(&self, url: &Url, may_be_unknown: bool) -> Result<(), NameFault> {
        let Some(Host::Domain(name)) = url.host() else { return Ok(()) };
        let found = match look_up(name).await {
            Ok(found) => found,
            Err(_) if may_be_unknown => return Ok(()),
            Err(unresolved) => return Err(unresolved.into()),
        };
        for address in found {
            self.check_address(address.ip())?;
        }
        Ok(())
    }

    /// A resolver that returns only allowed addresses. `configured` are hosts named in the configuration: only
    /// always-forbidden addresses are removed for them.
    #[must_use]
    pub fn resolver(self, configured: Vec<String>) -> Arc<GuardedResolver> {
        Arc::new(GuardedResolver { guard: self, configured })
    }
}

fn is_localhost(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    name.eq_ignore_ascii_case("localhost") || name.to_ascii_lowercase().ends_with(".localhost")
}

/// The IPv4 address inside an IPv6 address: mapped, compatible, translated, 6to4, Teredo, NAT64 (RFC 4291, 2765, 3056,
/// 4380, 6052, 8215).
fn inner_ipv4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let bytes = address.octets();
    let at = |start: usize| {
        let four: Option<[u8; 4]> = bytes.get(start..start.saturating_add(4))?.try_into().ok();
        four.map(Ipv4Addr::from)
    };
    match address.segments() {
        // :: and ::1 are native IPv6 addresses.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, ..]
        | [0, 0, 0, 0, 0xffff, 0, ..]
        | [0x64, 0xff9b, 0, 0, 0, 0, ..]
        | [0x64, 0xff9b, 1, ..] => at(12),
        [0x2002, ..] => at(2),
        [0x2001, 0, ..] => at(12).map(|hidden| Ipv4Addr::from_bits(!hidden.to_bits())),
        _ => None,
    }
}

/// Addresses that are always refused.
fn forbidden(address: IpAddr) -> Option<&'static str> {
    const METADATA: &str = "it is a cloud's metadata service";
    match address {
        IpAddr::V4(address) => match address.octets() {
            [169, 254, ..] => Some("it is link-local, where clouds keep their metadata"),
            [100, 100, 100, 200] | [168, 63, 129, 16] | [192, 0, 0, 192] => Some(METADATA),
            [0, 0, 0, 0] => None,
            [0, ..] => Some("it is not the address of a host"),
            [224..=239, ..] => Some("it is multicast"),
            [240..=255, ..] => Some("it is reserved"),
            _ => None,
        },
        IpAddr::V6(address) => match address.segments() {
            [0xfe80..=0xfebf, ..] => Some("it is link-local"),
            [0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x254] | [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254] => Some(METADATA),
            [0xff00..=0xffff, ..] => Some("it is multicast"),
            _ => None,
        },
    }
}

/// Addresses that a shared installation also refuses.
fn private(address: IpAddr) -> Option<&'static str> {
    const OWN: &str = "it is this machine";
    const PRIVATE: &str = "it is a private address, and sender.deny_private is set";
    const SPECIAL: &str = "it is for documentation or tests, and sender.deny_private is set";
    match address {
        IpAddr::V4(address) => match address.octets() {
            [0 | 127, ..] => Some(OWN),
            [10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => Some(PRIVATE),
            [192, 0, 0 | 2, _] | [198, 18 | 19, ..] | [198, 51, 100, _] | [203, 0, 113, _] => Some(SPECIAL),
            _ => None,
        },
        IpAddr::V6(address) => match address.segments() {
            [0, 0, 0, 0, 0, 0, 0, 0 | 1] => Some(OWN),
            [0xfc00..=0xfdff | 0xfec0..=0xfeff, ..] => Some(PRIVATE),
            [0x2001, 0x0db8, ..] => Some(SPECIAL),
            _ => None,
        },
    }
}

/// Resolves names with the system, and removes addresses that must not be reached.
#[derive(Debug)]
pub struct GuardedResolver {
    guard: TargetGuard,
    configured: Vec<String>,
}

async fn look_up(name: &str) -> Result<Vec<SocketAddr>, Unresolved> {
    let looked_up = tokio::net::lookup_host((name, 0)).await;
    looked_up
        .map(Iterator::collect)
        .map_err(|fault| Unresolved { name: name.to_owned(), cause: cause(&fault) })
}

/// What the system says, without what the caller was doing.
fn cause(fault: &std::io::Error) -> String {
    let said = fault.to_string();
    said.strip_prefix("failed to lookup address information: ").map_or(said.clone(), str::to_owned)
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let is_configured = self.configured.iter().any(|known| known.eq_ignore_ascii_case(name.as_str()));
        let guard = if is_configured { TargetGuard::new(false) } else { self.guard };
        Box::pin(async move {
            let found = look_up(name.as_str()).await?;
            let allowed = reachable(guard, name.as_str(), found)?;
            let addresses: Addrs = Box::new(allowed.into_iter());
            Ok(addresses)
        })
    }
}

/// The allowed addresses; an error if none is left.
fn reachable(
    guard: TargetGuard,
    name: &str,
    found: Vec<SocketAddr>,
) -> Result<Vec<SocketAddr>, Box<dyn std::error::Error + Send + Sync>> {
    let mut blocked = None;
    let mut allowed = Vec::new();
    for address in found {
        match guard.check_address(address.ip()) {
            Ok(()) => allowed.push(address),
            Err(fault) => blocked = Some(fault),
        }
    }
    match (allowed.is_empty(), blocked) {
        (false, _) => Ok(allowed),
        (true, Some(blocked)) => Err(blocked.into()),
        (true, None) => Err(Unresolved { name: name.to_owned(), cause: "no address".to_owned() }.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(deny_private: bool, url: &str) -> bool {
        TargetGuard::new(deny_private).check_url(&Url::parse(url).unwrap()).is_ok()
    }

    #[test]
    fn ss_06_metadata_and_link_local_are_refused_always_in_any_spelling() {
        for url in [
            "http://169.254.169.254/latest",
            "http://[::ffff:169.254.169.254]/",
            "http://[::ffff:a9fe:a9fe]/",
            "http://[::169.254.169.254]/",
            "http://[::ffff:0:a9fe:a9fe]/",
            "http://[2002:a9fe:a9fe::]/",
            "http://[64:ff9b::169.254.169.254]/",
            "http://[64:ff9b:1::169.254.169.254]/",
            "http://[2001:0:1:2:3:4:5601:5601]/",
            "http://2852039166/",
            "http://0xa9fea9fe/",
            "http://0251.0376.0251.0376/",
            "http://169.254.43518/",
            "http://[fe80::1]/",
            "http://[fd00:ec2::254]/",
            "http://100.100.100.200/",
            "http://168.63.129.16/",
            "http://224.0.0.1/",
            "http://255.255.255.255/",
            "http://[ff02::1]/",
            "http://0.1.2.3/",
        ] {
            assert!(!check(false, url), "{url}");
            assert!(!check(true, url), "{url}");
        }
    }

    #[test]
    fn ss_01_ss_04_every_spelling_of_this_machine_has_one_verdict() {
        for url in [
            "http://127.0.0.1/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:7f00:1]/",
            "http://[::1]/",
            "http://[::]/",
            "http://0.0.0.0/",
            "http://2130706433/",
            "http://0177.0.0.1/",
            "http://0x7f.1/",
            "http://127.1/",
            "http://localhost./",
            "http://LOCALHOST/",
        ] {
            assert!(check(false, url), "{url}");
            assert!(!check(true, url), "{url}");
        }
    }

    #[test]
    fn private_ranges_end_where_they_end() {
        for (inside, outside) in [
            ("10.255.255.255", "11.0.0.0"),
            ("172.16.0.0", "172.15.255.255"),
            ("172.31.255.255", "172.32.0.0"),
            ("192.168.0.1", "192.169.0.1"),
            ("100.127.255.255", "100.128.0.0"),
            ("198.19.255.255", "198.20.0.0"),
        ] {
            assert!(
                check(false, &format!("http://{inside}/")) && !check(true, &format!("http://{inside}/")),
                "{inside}"
            );
            assert!(check(true, &format!("http://{outside}/")), "{outside}");
        }
        assert!(!check(true, "http://[fdff::1]/") && check(true, "http://[2600::1]/"));
    }

    #[test]
    fn ss_02_a_name_is_judged_by_what_it_resolves_to() {
        let at = |address: &str| SocketAddr::new(address.parse().unwrap(), 0);
        let guard = TargetGuard::new(false);
        let only = reachable(guard, "meta", vec![at("169.254.169.254")]).unwrap_err();
        assert!(only.is::<Blocked>(), "{only}");
        let kept = reachable(guard, "both", vec![at("169.254.169.254"), at("203.0.113.9")]).unwrap();
        assert_eq!(kept, [at("203.0.113.9")]);
        assert!(reachable(guard, "none", Vec::new()).unwrap_err().is::<Unresolved>());
    }
}
