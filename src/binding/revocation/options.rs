//! The options of revocation lists.

use std::ops::RangeInclusive;

use crate::binding::args::options;
use crate::jwt::MAX_TOKEN_LEN;
use crate::revocation::{ListLimits, OnFull};

/// The bounds of `maxEntries`.
const ENTRIES: RangeInclusive<usize> = 1..=100_000_000;
/// The bounds of `maxTokenTtl`, in seconds.
pub(crate) const TOKEN_TTL: RangeInclusive<u64> = 1..=10 * 366 * 24 * 3600;

const ON_FULL: [(&str, OnFull); 2] =
    [("error", OnFull::Error), ("reject-older", OnFull::RejectOlder)];

options! {
    /// The limits of a list.
    pub(crate) struct Limits {
        /// The most entries.
        max_entries("maxEntries"): Option<usize> = optional(|entries| entries.length(ENTRIES)),
        /// The longest life of a token, in seconds.
        max_token_ttl("maxTokenTtl"): Option<u64> = optional(|ttl| ttl.duration(TOKEN_TTL)),
        /// The reaction to a full list.
        on_full("onFull"): Option<OnFull> = optional(|on_full| on_full.one_of(&ON_FULL)),
    }
}

options! {
    /// The options of `RevocationList.shared`.
    pub(crate) struct SharedListOptions for "RevocationList.shared" {
        /// The limits.
        limits: Limits = flatten(Limits),
    }
}

options! {
    /// The options of `RevocationList.prototype.revokeAll`.
    pub(crate) struct AllOptions for "RevocationList.prototype.revokeAll" {
        /// The issuer of the tokens; any issuer unless given.
        issuer("issuer"): Option<String> = optional(|issuer| issuer.string(0..=MAX_TOKEN_LEN)),
        /// The last second of issue, in seconds since 1970; now unless given.
        issued_before("issuedBefore"): Option<u64> = optional(|moment| moment.moment()),
    }
}

impl Limits {
    /// The limits of a new list.
    pub(crate) fn with_defaults(&self) -> ListLimits {
        let default = ListLimits::default();
        ListLimits {
            max_entries: self.max_entries.unwrap_or(default.max_entries),
            max_token_ttl: self.max_token_ttl.unwrap_or(default.max_token_ttl),
            on_full: self.on_full.unwrap_or(default.on_full),
        }
    }

    /// Whether a list has every limit that is given here.
    pub(crate) fn agree_with(&self, known: ListLimits) -> bool {
        self.max_entries.is_none_or(|own| own == known.max_entries)
            && self.max_token_ttl.is_none_or(|own| own == known.max_token_ttl)
            && self.on_full.is_none_or(|own| own == known.on_full)
    }
}

options! {
    /// The options of `revokeId`, `revokeSession` and `revokeSubject`.
    pub(crate) struct ScopeOptions for "RevocationList.prototype.revokeId" {
        /// The issuer of the tokens; any issuer unless given.
        issuer("issuer"): Option<String> = optional(|issuer| issuer.string(0..=MAX_TOKEN_LEN)),
    }
}
