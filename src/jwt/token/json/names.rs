//! The member names of an object, kept to detect duplicates.

use std::collections::HashSet;

use super::raw::Raw;

/// The member names of one object. The first ones are in place and the others in a hash set, so
/// that a hostile object with thousands of members costs no more than its length.
#[derive(Default)]
pub(super) struct Names<'a> {
    few: [&'a str; 16],
    used: usize,
    /// One bit for each length and first byte that has been seen, so that most names need not be
    /// compared with any other.
    seen: u64,
    /// Whether any name has escapes.
    escaped: bool,
    many: Option<HashSet<String>>,
}

impl<'a> Names<'a> {
    /// Adds a name, and returns whether it is new.
    pub(super) fn insert(&mut self, name: Raw<'a>) -> bool {
        self.escaped |= matches!(name, Raw::Escaped(_));
        let text = name.text();
        let bytes = text.as_bytes();
        let first = bytes.first().copied().map_or(0, usize::from);
        let bit = 1 << ((bytes.len() * 7 + first) % 64);
        let may_be_known = self.escaped || self.seen & bit != 0;
        self.seen |= bit;
        let escaped = self.escaped;
        // A name with escapes may equal one without.
        let is_same = |known: &&'a str| {
            if escaped { Raw::Escaped(known).same(Raw::Escaped(text)) } else { *known == text }
        };
        if may_be_known && self.few[..self.used].iter().any(is_same) {
            return false;
        }
        if let Some(free) = self.few.get_mut(self.used) {
            *free = text;
            self.used += 1;
            return true;
        }
        self.many.get_or_insert_default().insert(name.chars().collect())
    }
}
