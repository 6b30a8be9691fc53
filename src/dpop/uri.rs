//! Compares the address of a request with that of a proof (RFC 9449 section 4.3).

use std::net::Ipv6Addr;

/// The address without its query and fragment, in a form in which equal addresses are equal texts:
/// scheme and host in lower case, without the default port, with `/` for an empty path, and with
/// the hexadecimal digits of percent-encodings in upper case (RFC 3986 sections 6.2.2.1 and 6.2.3).
///
/// Escapes are not decoded and dot segments are not removed, because frameworks route by the path
/// as it was sent. `None` for a text that is no address of `http` or `https`, or names a user.
pub(super) fn normalized(uri: &str) -> Option<String> {
    let (scheme, rest) = uri.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let default_port = match scheme.as_str() {
        "http" => "80",
        "https" => "443",
        _ => return None,
    };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    // A URL of WHATWG would take a backslash for a slash.
    if authority.contains(['@', '\\']) || !uri.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    // The last colon, unless it is one of an IPv6 address.
    let port_at = authority.rfind(':').filter(|at| !authority[*at..].contains(']'));
    let (host, port) = match port_at {
        Some(at) => (&authority[..at], &authority[at + 1..]),
        None => (authority, ""),
    };
    if !is_host(host) || !is_port(port) {
        return None;
    }
    let mut text = format!("{scheme}://{}", host.to_ascii_lowercase());
    if !port.is_empty() && port != default_port {
        text.push(':');
        text.push_str(port);
    }
    text.push_str(if path.is_empty() { "/" } else { path });
    Some(upper_escapes(text))
}

/// Whether a text is a name, or an IPv6 address in brackets.
fn is_host(host: &str) -> bool {
    match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').is_some_and(|ip| ip.parse::<Ipv6Addr>().is_ok()),
        None => !host.is_empty() && !host.contains([':', '[', ']']),
    }
}

/// Whether a text is a port, or empty, which means the default one.
fn is_port(port: &str) -> bool {
    let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
    is_number && (port.is_empty() || port.parse::<u16>().is_ok())
}

/// The text with upper-case hexadecimal digits behind each `%`.
fn upper_escapes(text: String) -> String {
    if !text.contains('%') {
        return text;
    }
    let mut digits = 0;
    text.chars()
        .map(|character| {
            let is_digit = digits > 0 && character.is_ascii_hexdigit();
            digits = match character {
                '%' => 2,
                _ if is_digit => digits - 1,
                _ => 0,
            };
            if is_digit { character.to_ascii_uppercase() } else { character }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_addresses_have_one_form() {
        for (given, expected) in [
            ("https://server.example.com/token", "https://server.example.com/token"),
            ("HTTPS://Server.Example.COM/Token", "https://server.example.com/Token"),
            ("https://a.example:443/x", "https://a.example/x"),
            ("https://a.example:/x", "https://a.example/x"),
            ("http://a.example:80", "http://a.example/"),
            ("http://a.example:443/", "http://a.example:443/"),
            ("https://a.example/x?y=z#f", "https://a.example/x"),
            ("https://a.example?y", "https://a.example/"),
            ("https://a.example#f/x", "https://a.example/"),
            ("https://a.example/%c3%a9%2f%zf", "https://a.example/%C3%A9%2F%zf"),
            ("http://[2001:DB8::1]:80/", "http://[2001:db8::1]/"),
            ("http://[2001:db8::1]", "http://[2001:db8::1]/"),
            ("http://a.example:65535", "http://a.example:65535/"),
            ("https://a.example/a/../b", "https://a.example/a/../b"),
            ("https://a.example/%61", "https://a.example/%61"),
        ] {
            assert_eq!(normalized(given).as_deref(), Some(expected), "{given}");
        }
    }

    #[test]
    fn other_texts_are_no_addresses() {
        for text in [
            "",
            "/token",
            "//a.example/",
            "ftp://a.example/",
            "https:/a.example/",
            "https:///x",
            "https://:443/",
            "https://user@a.example/",
            "https://a.example\\@b.example/",
            "https://a.example:4x/",
            "https://[::1",
            "https://::1]/",
            "https://[]/",
            "https://[a.example]/",
            "https://[::1]x/",
            "http://]:80/",
            "https://a:1:2/",
            "https://a:65536/",
            "https://a:99999999/",
            "https://a:+1/",
            "https://a.example/ x",
            "https://a.example/é",
            "https://a.example/\n",
        ] {
            assert_eq!(normalized(text), None, "{text}");
        }
    }
}
