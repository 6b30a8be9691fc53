//! Decides when a stored digest is due to be replaced.

use super::phc::Digest;
use super::policy::Policy;

/// Which digests made under another policy are due to be replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rehash {
    /// All of them, weaker or stronger.
    #[default]
    Exact,
    /// Digests that are weaker in any way: a smaller version, cost, tag or salt. A digest of
    /// another variant or pepper is also due, because neither is stronger than the other.
    AtLeast,
}

impl Rehash {
    /// Every rule with its name in JavaScript.
    pub const ALL: [(&str, Self); 2] = [("exact", Self::Exact), ("atLeast", Self::AtLeast)];
}

impl Policy {
    /// Whether a digest is due to be replaced by one made under this policy with the pepper
    /// `keyid`. An empty `keyid` means no pepper, or a pepper without a name.
    pub fn needs_rehash(&self, digest: &Digest, rule: Rehash, keyid: &[u8]) -> bool {
        let due = |ours, its| match rule {
            Rehash::Exact => ours != its,
            Rehash::AtLeast => ours > its,
        };
        let (ours, its) = (self.params(), digest.params());
        let is_other = ours.algorithm() != its.algorithm() || keyid != digest.keyid();
        // No other library reads fractions.
        if is_other || digest.has_fractions() {
            return true;
        }
        [
            (ours.version().number(), its.version().number()),
            (ours.memory_cost(), its.memory_cost()),
            (ours.time_cost(), its.time_cost()),
            (ours.parallelism(), its.parallelism()),
        ]
        .into_iter()
        .any(|(ours, its)| due(u64::from(ours), u64::from(its)))
            || due(self.hash_length() as u64, digest.hash().len() as u64)
            || due(self.salt_length() as u64, digest.salt().len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::password::{PolicyOptions, Preset};

    #[test]
    fn a_digest_with_fractions_is_due_by_every_rule() {
        let options = PolicyOptions { preset: Some(Preset::Owasp), ..PolicyOptions::default() };
        let owasp = Policy::new(&options, true).unwrap();
        for (from, to) in [("m=19456", "m=19456.5"), ("t=2", "t=2.5"), ("p=1", "p=1.25")] {
            let text = DIGEST.replacen(from, to, 1);
            assert!(owasp.needs_rehash(&digest(&text), Rehash::Exact, b""), "{to}");
            assert!(owasp.needs_rehash(&digest(&text), Rehash::AtLeast, b""), "{to}");
        }
    }

    fn digest(text: &str) -> Digest {
        Digest::parse(text).unwrap().unwrap()
    }

    const DIGEST: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$\
                          AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    #[test]
    fn a_digest_is_due_by_the_rule_that_was_chosen() {
        let options = PolicyOptions { preset: Some(Preset::Owasp), ..PolicyOptions::default() };
        let owasp = Policy::new(&options, true).unwrap();
        assert!(!owasp.needs_rehash(&digest(DIGEST), Rehash::Exact, b""));
        assert!(!owasp.needs_rehash(&digest(DIGEST), Rehash::AtLeast, b""));
        let peppered = digest(DIGEST).with_keyid(b"k1".into());
        for rule in [Rehash::Exact, Rehash::AtLeast] {
            assert!(owasp.needs_rehash(&digest(DIGEST), rule, b"k1"));
            assert!(owasp.needs_rehash(&peppered, rule, b""));
            assert!(owasp.needs_rehash(&peppered, rule, b"k2"));
            assert!(!owasp.needs_rehash(&peppered, rule, b"k1"));
        }
        let (salt, tag) =
            ("$AAAAAAAAAAAAAAAAAAAAAA$", "$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
        for (from, to, weaker) in [
            ("argon2id", "argon2i", true),
            ("argon2id", "argon2d", true),
            ("v=19", "v=16", true),
            ("m=19456", "m=19457", false),
            ("m=19456", "m=19455", true),
            ("m=19456,t=2", "m=4194304,t=1", true),
            ("t=2", "t=3", false),
            ("t=2", "t=1", true),
            ("p=1", "p=2", false),
            (salt, "$AAAAAAAAAAAAAAAAAAAAAAAA$", false),
            (salt, "$AAAAAAAAAAA$", true),
            (tag, "$AAAAAAAAAAAAAAAAAAAAAA", true),
            (tag, "$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", false),
        ] {
            let changed = DIGEST.replacen(from, to, 1);
            assert_ne!(changed, DIGEST);
            let changed = digest(&changed);
            assert!(owasp.needs_rehash(&changed, Rehash::Exact, b""), "{to}");
            assert_eq!(owasp.needs_rehash(&changed, Rehash::AtLeast, b""), weaker, "{to}");
        }
    }
}
