//! Values as users write them: sizes, durations, rates, addresses.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::time::Duration;

use ipnet::{IpNet, Ipv4Net};
use toml::Value;

use super::Rate;
use crate::domain::{ListenAddress, SilenceAfter, suggestion};

/// The allowed forms of a listen address.
pub const ADDRESS: &str =
    "expected HOST:PORT, as \"127.0.0.1:8080\" or \"[::]:8080\", or a port of this machine, as \"8080\"";

/// The longest path of a Linux socket, in bytes (unix(7)).
const MAX_SOCKET_PATH: usize = 107;

/// A listen address. A port without a host, `8080` or `:8080`, means the loopback address. Access from other machines
/// must be configured explicitly.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    let text = text.trim();
    let (host, port) = text.rsplit_once(':').unwrap_or(("", text));
    let is_here = host.is_empty() || host.eq_ignore_ascii_case("localhost");
    let found = if is_here && port.bytes().all(|byte| byte.is_ascii_digit()) {
        port.parse().ok().map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
    } else {
        text.parse().ok()
    };
    found.ok_or_else(|| format!("{text:?} is not an address with a port; {ADDRESS}"))
}

/// The receiver's listen address: as above, or `unix:` and the path of a socket.
pub fn listen_address(text: &str) -> Result<ListenAddress, String> {
    let Some(path) = ListenAddress::unix_path(text) else {
        let or = |fault| format!("{fault}, or \"unix:/run/tagohook.sock\"");
        return address(text).map(ListenAddress::Tcp).map_err(or);
    };
    if path.is_empty() || path.len() > MAX_SOCKET_PATH {
        return Err(format!(
            "\"unix:\" needs a path of 1 to {MAX_SOCKET_PATH} bytes, as \"unix:/run/tagohook.sock\""
        ));
    }
    std::path::absolute(path)
        .map(ListenAddress::Unix)
        .map_err(|fault| format!("{path:?} cannot be used: {fault}"))
}

/// A size in bytes: `4 MiB`, `512 KiB`, `1000`, `1 GB`.
pub fn size(text: &str) -> Result<u64, String> {
    let allowed = "a size as \"4 MiB\" (B, KiB, MiB, GiB, TiB, kB, MB, GB, TB)";
    let (number, unit) = split_unit(text);
    let factor: u64 = match unit {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        _ => return Err(format!("{text:?} is not a size; expected {allowed}")),
    };
    let count: Option<u64> = number.parse().ok();
    count
        .and_then(|count| count.checked_mul(factor))
        .ok_or_else(|| format!("{text:?} is not a size; expected {allowed}"))
}

/// A value as the file has it, without the quotes of a text.
pub fn written(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

/// A duration: `500ms`, `30s`, `5m`, `2h`, `30d`, `2w`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let allowed = "a duration as \"30s\" (ms, s, m, h, d, w)";
    let (number, unit) = split_unit(text);
    let millis: u64 = match unit {
        "ms" => 1,
        "s" | "sec" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        "w" => 604_800_000,
        _ => return Err(format!("{text:?} is not a duration; expected {allowed}")),
    };
    let count: Option<u64> = number.parse().ok();
    match count.and_then(|count| count.checked_mul(millis)) {
        Some(0) => Err(format!("{text:?} is too small; expected {allowed}, more than 0")),
        Some(millis) => Ok(Duration::from_millis(millis)),
        None => Err(format!("{text:?} is not a duration; expected {allowed}")),
    }
}

/// A rate: `50/s`, `1000/min`, `10/h`.
pub fn rate(text: &str) -> Result<Rate, String> {
    let fault = || format!("{text:?} is not a rate; write \"50/s\", \"1000/min\" or \"10/h\", more than 0");
    let (count, unit) = text.split_once('/').ok_or_else(fault)?;
    let count: NonZeroU32 = count.trim().parse().map_err(|_| fault())?;
    let per = match unit.trim() {
        "s" | "sec" => 1,
        "m" | "min" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(fault()),
    };
    Ok(Rate { count, per: Duration::from_secs(per) })
}

/// When a device counts as silent: `off`, `3x`, `2.5x`, or a duration.
pub fn silence_after(text: &str) -> Result<SilenceAfter, String> {
    let allowed =
        "\"off\", a multiple of the usual interval from \"1.1x\" to \"100x\", or a duration as \"30m\"";
    let fault = || format!("{text:?} cannot be read; expected {allowed}");
    if text == "off" {
        return Ok(SilenceAfter::Off);
    }
    let Some(multiple) = text.strip_suffix('x') else {
        return duration(text).map(SilenceAfter::Time).map_err(|_| fault());
    };
    let (whole, tenth) = multiple.split_once('.').unwrap_or((multiple, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !is_digits(tenth) || tenth.len() > 1 {
        return Err(fault());
    }
    let tenths: Option<u32> = format!("{whole}{tenth}").parse().ok();
    tenths.filter(|tenths| (11..=1_000).contains(tenths)).map(SilenceAfter::Tenths).ok_or_else(fault)
}

/// One of several words.
pub fn one_of(value: &Value, words: &[&str]) -> Result<String, String> {
    let word = value.as_str().filter(|word| words.contains(word));
    word.map(str::to_owned).ok_or_else(|| {
        let near = suggestion(value.as_str().unwrap_or_default(), words.iter().copied());
        format!("unknown value {value}{near}; use one of {}", words.join(", "))
    })
}

/// A character of a header name (RFC 9110, 5.6.2).
pub fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// A list of strings.
pub fn texts(value: &Value) -> Result<Vec<String>, String> {
    let fault = || "must be a list of strings, as [\"a\", \"b\"]".to_owned();
    let items = value.as_array().ok_or_else(fault)?;
    items.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(fault)).collect()
}

/// Splits entries that are lists themselves, separated by commas and blanks (NET-05).
pub fn split_list(entries: &[String]) -> Vec<String> {
    entries
        .iter()
        .flat_map(|entry| entry.split(','))
        .map(|entry| entry.trim().to_owned())
        .filter(|entry| !entry.is_empty())
        .collect()
}

/// Host names, each alone or with a port.
///
/// # Errors
/// Names the first entry that is a URL, a pattern or another text.
pub fn host_names(entries: &[String]) -> Result<Vec<String>, String> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    let names: Vec<String> = split_list(entries);
    match names.iter().find(|name| !name.bytes().all(is_name)) {
        Some(wrong) => {
            Err(format!("{wrong:?} is not a host name; write each name in full, as \"hooks.example.com\""))
        }
        None => Ok(names),
    }
}

fn split_unit(text: &str) -> (&str, &str) {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits).unwrap_or((text, ""));
    (number, unit.trim())
}

/// Addresses and CIDRs: host bits are masked, and a mapped range becomes its IPv4 range.
///
/// # Errors
/// Names every entry that is neither.
pub fn ranges<'t>(entries: impl IntoIterator<Item = &'t String>) -> Result<Vec<IpNet>, String> {
    let (mut ranges, mut wrong) = (Vec::new(), Vec::new());
    for text in entries {
        match range(text) {
            Some(range) => ranges.push(range),
            None => wrong.push(format!("{text:?}")),
        }
    }
    let what = match wrong.len() {
        0 => return Ok(ranges),
        1 => "is not an address",
        _ => "are not addresses",
    };
    Err(format!("{} {what}; use an IPv4 or IPv6 address, or a CIDR such as 203.0.113.0/24", wrong.join(", ")))
}

fn range(text: &str) -> Option<IpNet> {
    let net = text.parse::<IpNet>().ok().or_else(|| Some(text.parse::<IpAddr>().ok()?.into()))?;
    Some(canonical(net.trunc()))
}

fn canonical(net: IpNet) -> IpNet {
    const MAPPED_BITS: u8 = 96;
    let IpNet::V6(range) = net else { return net };
    match (range.network().to_ipv4_mapped(), range.prefix_len().checked_sub(MAPPED_BITS)) {
        (Some(address), Some(bits)) => Ipv4Net::new(address, bits).map_or(net, IpNet::V4),
        _ => net,
    }
}

/// Whether a range contains every address of its family.
pub fn matches_all(range: &IpNet) -> bool {
    range.prefix_len() == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_durations_and_rates_are_read_as_people_write_them() {
        assert_eq!(size("4 MiB"), Ok(4 << 20));
        assert_eq!(size("4MiB"), Ok(4 << 20));
        assert_eq!(size("1000"), Ok(1000));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("30d"), Ok(Duration::from_secs(30 * 86_400)));
        assert_eq!(rate("1000/min").unwrap().per, Duration::from_secs(60));
        for bad in ["", "MiB", "-1 B", "4 Mib", "99999999999999999999", "18446744073709551615 KiB", "1.5 GiB"]
        {
            assert!(size(bad).is_err(), "{bad}");
        }
        for bad in ["", "0s", "5", "-5s", "5 weeks", "s"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
        for bad in ["", "0/s", "5", "5/", "/s", "5/fortnight", "-1/s"] {
            assert!(rate(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_port_alone_is_one_of_this_machine_and_everything_else_is_written_out() {
        let read = |text: &str| address(text).map(|address| address.to_string());
        for here in ["8080", ":8080", "localhost:8080", "127.0.0.1:8080", " 8080 ", "LOCALHOST:8080"] {
            assert_eq!(read(here), Ok("127.0.0.1:8080".into()), "{here}");
        }
        assert_eq!(read("0"), Ok("127.0.0.1:0".into()));
        assert_eq!(read("0.0.0.0:80"), Ok("0.0.0.0:80".into()));
        assert_eq!(read("[::]:80"), Ok("[::]:80".into()));
        for bad in ["", ":", "65536", ":65536", "127.0.0.1", "::1", "host:80", "+80", "-1", "80:", "8080/tcp"]
        {
            assert!(
                read(bad).unwrap_err().contains("is not an address with a port; expected HOST:PORT"),
                "{bad}"
            );
        }
    }

    #[test]
    fn the_receiver_may_listen_on_a_socket() {
        let read = |text: &str| listen_address(text).map(|address| address.to_string());
        assert_eq!(read("unix:/run/tagohook.sock"), Ok("unix:/run/tagohook.sock".into()));
        assert!(read("unix:here.sock").unwrap().starts_with("unix:/"), "commands are run elsewhere");
        assert_eq!(read("8080"), Ok("127.0.0.1:8080".into()));
        for bad in ["unix:", &format!("unix:/{}", "x".repeat(107)), "/run/tagohook.sock"] {
            assert!(read(bad).unwrap_err().contains("\"unix:/run/tagohook.sock\""), "{bad}");
        }
    }

    #[test]
    fn silence_is_off_a_multiple_or_a_time() {
        assert_eq!(silence_after("off"), Ok(SilenceAfter::Off));
        assert_eq!(silence_after("3x"), Ok(SilenceAfter::Tenths(30)));
        assert_eq!(silence_after("1.1x"), Ok(SilenceAfter::Tenths(11)));
        assert_eq!(silence_after("100x"), Ok(SilenceAfter::Tenths(1_000)));
        assert_eq!(silence_after("90m"), Ok(SilenceAfter::Time(Duration::from_secs(5_400))));
        for bad in ["", "on", "x", "1x", "1.0x", "100.1x", "-3x", "3.25x", ".5x", "3.x", "0s", "+3x"] {
            assert!(silence_after(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn net_06_host_bits_are_masked_mapped_ranges_are_ipv4_and_what_is_no_address_is_refused() {
        let shown = |text: &str| range(text).map(|range| range.to_string());
        assert_eq!(shown("::1/128"), Some("::1/128".into()));
        assert_eq!(shown("2001:db8::/32"), Some("2001:db8::/32".into()));
        assert_eq!(shown("203.0.113.5/24"), Some("203.0.113.0/24".into()));
        assert_eq!(shown("203.0.113.5"), Some("203.0.113.5/32".into()));
        assert_eq!(shown("::ffff:203.0.113.0/120"), Some("203.0.113.0/24".into()));
        assert_eq!(shown("::ffff:203.0.113.7"), Some("203.0.113.7/32".into()));
        for bad in
            ["10.0.0.0/33", "010.0.0.1", "10.0.0", "::1/129", "localhost", "", "1.2.3.4/-1", "1.2.3.4/"]
        {
            assert_eq!(range(bad), None, "{bad}");
        }
        let entries = ["10.0.0.0/33", "203.0.113.5", "10.0.0"].map(str::to_owned);
        let fault = ranges(&entries).unwrap_err();
        assert!(
            fault.starts_with("\"10.0.0.0/33\", \"10.0.0\" are not addresses; use "),
            "every wrong entry: {fault}"
        );
    }
}
