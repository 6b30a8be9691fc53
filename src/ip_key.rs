//! The key under which a client's address is counted.
//!
//! A client that owns a network may use another address of it for every request, so an IPv6 address
//! stands for its network. An IPv6 address that a translator made of an IPv4 address stands for
//! that, because one network holds the addresses of all IPv4 clients.

use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::error::{Code, Error, Result};

/// The longest text that is read: more than an address with a zone and a port.
pub const MAX_LEN: usize = 128;

/// The lengths of the networks that count as one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefixes {
    /// Bits of an IPv4 address, at most 32.
    pub ipv4: u32,
    /// Bits of an IPv6 address, at most 128.
    pub ipv6: u32,
}

impl Default for Prefixes {
    fn default() -> Self {
        Self { ipv4: 32, ipv6: 56 }
    }
}

/// The network of an address as text: an address, and the length of the network's prefix if that is
/// shorter than an address.
pub fn ip_key(text: &str, prefixes: Prefixes) -> Result<String> {
    let address = parse(text).ok_or_else(|| {
        Error::new(
            Code::InvalidArgValue,
            "ip must be an IPv4 or IPv6 address; a zone, brackets and a port may be with it",
        )
    })?;
    Ok(match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - prefixes.ipv4).unwrap_or(0);
            network(Ipv4Addr::from_bits(address.to_bits() & mask), prefixes.ipv4, 32)
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - prefixes.ipv6).unwrap_or(0);
            network(Ipv6Addr::from_bits(address.to_bits() & mask), prefixes.ipv6, 128)
        }
    })
}

fn network(address: impl Display, prefix: u32, bits: u32) -> String {
    if prefix == bits { address.to_string() } else { format!("{address}/{prefix}") }
}

/// Reads `192.0.2.1`, `2001:db8::1`, `fe80::1%eth0` and `[2001:db8::1]`; the first and the last of
/// these also with a port.
fn parse(text: &str) -> Option<IpAddr> {
    if let Some(bracketed) = text.strip_prefix('[') {
        let (address, port) = bracketed.split_once(']')?;
        let is_port = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
        return is_port.then(|| ipv6(address)).flatten();
    }
    if let Ok(address) = text.parse() {
        return Some(IpAddr::V4(address));
    }
    match text.split_once(':') {
        Some((address, port)) if address.contains('.') => {
            is_port(port).then(|| address.parse().ok()).flatten().map(IpAddr::V4)
        }
        _ => ipv6(text),
    }
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

/// Reads an IPv6 address. Its zone (RFC 4007 section 11) names an interface of this machine, not
/// the client.
fn ipv6(text: &str) -> Option<IpAddr> {
    let address = match text.split_once('%') {
        Some((address, zone)) if is_zone(zone) => address,
        Some(_) => return None,
        None => text,
    };
    let address: Ipv6Addr = address.parse().ok()?;
    Some(embedded(address).map_or(IpAddr::V6(address), IpAddr::V4))
}

fn is_zone(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"%[]".contains(&byte))
}

/// The IPv4 address that an IPv6 address stands for: mapped (RFC 4291 section 2.5.5.2), with the
/// well-known prefix of translators (RFC 6052 section 2.1), or of 6to4 (RFC 3056 section 2).
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => {
            Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Option<String> {
        ip_key(text, Prefixes::default()).ok()
    }

    #[test]
    fn an_ipv4_address_is_its_own_key_in_every_notation() {
        for text in [
            "192.0.2.1",
            "192.0.2.1:443",
            "192.0.2.1:0",
            "::ffff:192.0.2.1",
            "::FFFF:c000:201",
            "0:0:0:0:0:ffff:c000:0201",
            "[::ffff:192.0.2.1]",
            "[::ffff:192.0.2.1]:65535",
            "::ffff:192.0.2.1%eth0",
            "64:ff9b::192.0.2.1",
            "64:ff9b::c000:201",
            "2002:c000:201::1",
            "2002:c000:201:ffff:1:2:3:4",
        ] {
            assert_eq!(key(text).as_deref(), Some("192.0.2.1"), "{text}");
        }
    }

    #[test]
    fn an_ipv6_address_stands_for_its_network() {
        for (text, expected) in [
            ("2001:db8:1:2ff:3:4:5:6", "2001:db8:1:200::/56"),
            ("2001:DB8:1:200::", "2001:db8:1:200::/56"),
            ("[2001:db8:1:2ab::1]:443", "2001:db8:1:200::/56"),
            ("fe80::1%eth0", "fe80::/56"),
            ("fe80::1%en0.100", "fe80::/56"),
            ("::1", "::/56"),
            ("::192.0.2.1", "::/56"),
            // A translator of its own: nobody outside knows where the address lies (RFC 8215).
            ("64:ff9b:1::c000:201", "64:ff9b:1::/56"),
            ("64:ff9b:0:0:1::c000:201", "64:ff9b::/56"),
        ] {
            assert_eq!(key(text).unwrap_or_default(), expected, "{text}");
        }
    }

    #[test]
    fn a_prefix_of_any_length_is_cut_at_its_bit() {
        let key = |text, ipv4, ipv6| ip_key(text, Prefixes { ipv4, ipv6 }).unwrap();
        assert_eq!(key("192.0.2.255", 25, 56), "192.0.2.128/25");
        assert_eq!(key("255.255.255.255", 8, 56), "255.0.0.0/8");
        assert_eq!(key("::ffff:192.0.2.255", 24, 128), "192.0.2.0/24");
        assert_eq!(key("2001:db8::ffff", 32, 128), "2001:db8::ffff");
        assert_eq!(key("2001:db8:ffff::", 32, 33), "2001:db8:8000::/33");
        assert_eq!(key("255.1.1.1", 0, 0), "0.0.0.0/0");
        assert_eq!(key("ffff::", 0, 0), "::/0");
    }

    #[test]
    fn text_that_is_no_address_is_refused() {
        for text in [
            "",
            " ",
            "unknown",
            "localhost",
            " 192.0.2.1",
            "192.0.2.1 ",
            "192.0.2",
            "192.0.2.1.1",
            "192.0.2.256",
            "192.0.2.01",
            "0xc0.0.2.1",
            "3221225985",
            "192.0.2.1:",
            "192.0.2.1:-1",
            "192.0.2.1:+1",
            "192.0.2.1:65536",
            "192.0.2.1:1:2",
            "192.0.2.1%eth0",
            "[192.0.2.1]",
            "192.0.2.1, 192.0.2.2",
            "192.0.2.0/24",
            "2001:db8::1::",
            "2001:db8::g",
            "2001:db8::12345",
            "2001:db8::1/64",
            "[2001:db8::1",
            "2001:db8::1]",
            "[2001:db8::1]443",
            "[2001:db8::1]:",
            "[2001:db8::1]:x",
            "[[2001:db8::1]]",
            "fe80::1%",
            "fe80::1%a%b",
            "fe80::1%\u{e9}",
            "fe80::1%a b",
            "%eth0",
            "[]",
            "192.0.2.1\0",
            "\u{ff11}92.0.2.1",
            "2001:db8::1\r\nSet-Cookie: a=b",
        ] {
            assert_eq!(ip_key(text, Prefixes::default()).unwrap_err().code, Code::InvalidArgValue);
        }
    }
}
