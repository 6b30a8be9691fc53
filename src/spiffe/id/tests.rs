use super::*;

fn rule(uri: &str) -> String {
    let error = SpiffeId::parse(uri).expect_err(uri);
    assert_eq!(error.code, Code::SpiffeId);
    error.message.into_owned()
}

#[test]
fn valid_ids_are_read_into_trust_domain_and_path() {
    for (uri, trust_domain, path) in [
        ("spiffe://example.org/ns/prod/sa/web", "example.org", "/ns/prod/sa/web"),
        ("spiffe://a/B.c-D_9", "a", "/B.c-D_9"),
        ("spiffe://1.2.3.4/...", "1.2.3.4", "/..."),
        ("spiffe://under_score", "under_score", ""),
    ] {
        let id = SpiffeId::parse(uri).unwrap();
        assert_eq!((id.uri(), id.trust_domain(), id.path()), (uri, trust_domain, path));
    }
}

#[test]
fn the_error_names_the_rule_that_was_broken() {
    for (uri, part) in [
        ("", "spiffe://"),
        ("https://example.org/a", "spiffe://"),
        ("spiffe:/example.org/a", "spiffe://"),
        ("SPIFFE://example.org/a", "lower case"),
        (" spiffe://example.org/a", "spiffe://"),
        ("spiffe://", "must have a trust domain"),
        ("spiffe:///a", "must have a trust domain"),
        ("spiffe://Example.org/a", "lower case"),
        ("spiffe://user@example.org/a", "user info"),
        ("spiffe://example.org:443/a", "port"),
        ("spiffe://example.org:/a", "port"),
        ("spiffe://ex%61mple.org/a", "percent"),
        ("spiffe://example.org?a", "query"),
        ("spiffe://example.org#a", "fragment"),
        ("spiffe://[::1]/a", "letters, digits"),
        ("spiffe://exämple.org/a", "letters, digits"),
        ("spiffe://example.org/", "slash"),
        ("spiffe://example.org/a/", "slash"),
        ("spiffe://example.org//a", "empty"),
        ("spiffe://example.org/a//b", "empty"),
        ("spiffe://example.org/./a", "\".\""),
        ("spiffe://example.org/a/..", "\"..\""),
        ("spiffe://example.org/%2e%2e", "percent"),
        ("spiffe://example.org/a?b", "query"),
        ("spiffe://example.org/a#b", "fragment"),
        ("spiffe://example.org/a b", "letters, digits"),
        ("spiffe://example.org/a\0", "letters, digits"),
        ("spiffe://example.org/a:b", "letters, digits"),
        ("spiffe://example.org/é", "letters, digits"),
        ("spiffe://example.org/a\n", "letters, digits"),
        ("spiffe://example.org\\a", "letters, digits"),
    ] {
        let rule = rule(uri);
        assert!(rule.contains(part), "{uri}: {rule}");
    }
}

#[test]
fn ids_beyond_the_longest_are_refused() {
    let id = |path: usize| format!("spiffe://a/{}", "p".repeat(path));
    let longest = id(MAX_ID_LEN - "spiffe://a/".len());
    assert_eq!(longest.len(), MAX_ID_LEN);
    assert!(SpiffeId::parse(&longest).is_ok());
    assert!(rule(&format!("{longest}p")).contains("2048"));
    let domain = "d".repeat(MAX_TRUST_DOMAIN_LEN);
    assert!(SpiffeId::parse(&format!("spiffe://{domain}/a")).is_ok());
    assert!(rule(&format!("spiffe://{domain}d/a")).contains("255"));
}

#[test]
fn trust_domains_are_read_with_and_without_their_scheme() {
    let domain = TrustDomain::parse("example.org").unwrap();
    assert_eq!(domain, TrustDomain::parse("spiffe://example.org").unwrap());
    assert!(domain.contains(&SpiffeId::parse("spiffe://example.org/a").unwrap()));
    for other in ["spiffe://sub.example.org/a", "spiffe://example.org.evil/a", "spiffe://example/a"]
    {
        assert!(!domain.contains(&SpiffeId::parse(other).unwrap()), "{other}");
    }
    for text in ["", "Example.org", "spiffe://example.org/", "spiffe://example.org/a", "a/b", "a:1"]
    {
        assert_eq!(TrustDomain::parse(text).unwrap_err().code, Code::SpiffeId, "{text}");
    }
}

/// For every text that is close to an id: it is an id exactly when it can be put together from
/// parts that the grammar of the standard allows, and the id then has these parts.
#[test]
fn exactly_the_ids_of_the_grammar_are_read() {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut below = move |end: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % end as u64).unwrap()
    };
    let alphabet =
        ["a", "z", "A", "0", ".", "..", "-", "_", "/", "//", "%", "?", "#", "@", ":", "é"];
    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..200_000 {
        let rest: String = (0..below(7)).map(|_| alphabet[below(alphabet.len())]).collect();
        let uri = format!("spiffe://{rest}");
        let mut parts = rest.split('/');
        let domain = parts.next().unwrap();
        let lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-_".contains(c);
        let any = |c: char| lower(c) || c.is_ascii_uppercase();
        let expected = !domain.is_empty()
            && domain.chars().all(lower)
            && parts.clone().all(|part| {
                !part.is_empty() && part != "." && part != ".." && part.chars().all(any)
            });
        if let Ok(id) = SpiffeId::parse(&uri) {
            assert!(expected, "{uri}");
            assert_eq!(format!("spiffe://{}{}", id.trust_domain(), id.path()), uri);
            assert_eq!(id.trust_domain(), domain);
            accepted += 1;
        } else {
            assert!(!expected, "{uri}");
            refused += 1;
        }
    }
    assert!(accepted > 10_000 && refused > 10_000, "{accepted} {refused}");
}
