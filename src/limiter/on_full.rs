//! Newcomers in a full table.

/// The treatment of a new key that finds no free slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFull {
    /// The table forgets the key that recovers first among those that are not blocked. If all are
    /// blocked, newcomers share the units of one key.
    Evict,
    /// The newcomer is refused.
    Deny,
    /// As with [`OnFull::Evict`], but if all are blocked, newcomers are allowed and not counted.
    Allow,
}
