//! The name of a version of a ring on a server. It stands before the sealed bytes of the version,
//! is not secret, and is authenticated with them.
//!
//! A stamp is `format (1) ‖ number (8, big-endian) ‖ tag (8) ‖ number of ancestors (1) ‖ their
//! numbers and tags (16 each)`. The number counts the changes of the ring. The tag is random,
//! because a server that has lost versions may get other ones with the same numbers. The ancestors
//! are the newest versions from which this one was made: versions without a common line are merged.

use crate::error::{Code, Error, Result};
use crate::id::random_bytes;

const FORMAT: u8 = 2;
/// The most ancestors of a stamp. A version that is older than all of them may be one, too.
const MAX_ANCESTORS: usize = 64;
/// Bytes of the head, which tells a version from all others.
pub const HEAD_LEN: usize = 17;

const NAME_LEN: usize = 16;

/// The number and the tag of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct VersionName {
    pub number: u64,
    tag: [u8; 8],
}

/// The name of a version, with those of its ancestors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub name: VersionName,
    /// The newest first.
    ancestors: Vec<VersionName>,
}

impl VersionName {
    fn new(number: u64) -> Result<Self> {
        let mut tag = [0; 8];
        random_bytes(&mut tag)?;
        Ok(Self { number, tag })
    }

    fn to_bytes(self) -> [u8; NAME_LEN] {
        let mut bytes = [0; NAME_LEN];
        bytes[..8].copy_from_slice(&self.number.to_be_bytes());
        bytes[8..].copy_from_slice(&self.tag);
        bytes
    }

    fn from_bytes(bytes: &[u8; NAME_LEN]) -> Self {
        let number = bytes.first_chunk().copied().unwrap_or_default();
        let tag = bytes.last_chunk().copied().unwrap_or_default();
        Self { number: u64::from_be_bytes(number), tag }
    }
}

impl Stamp {
    /// The stamp of the first version of a ring.
    pub(super) fn first() -> Result<Self> {
        Ok(Self { name: VersionName::new(1)?, ancestors: Vec::new() })
    }

    /// The stamp of a version that is made from this one, and from another one if it merges both.
    pub(super) fn child(&self, other: Option<&Self>) -> Result<Self> {
        let lines = [Some(self), other].into_iter().flatten();
        let mut ancestors: Vec<VersionName> = lines
            .flat_map(|stamp| std::iter::once(stamp.name).chain(stamp.ancestors.iter().copied()))
            .collect();
        ancestors.sort_unstable_by(|one, other| other.cmp(one));
        ancestors.dedup();
        ancestors.truncate(MAX_ANCESTORS);
        let newest = ancestors.first().map_or(0, |name| name.number);
        Ok(Self { name: VersionName::new(newest.saturating_add(1))?, ancestors })
    }

    /// Whether this version was made from another one.
    pub(super) fn descends_from(&self, other: &Self) -> bool {
        self.ancestors.contains(&other.name)
    }

    /// Whether this version may have been made from another one that is older than all ancestors
    /// that it names.
    pub(super) fn may_descend_from(&self, other: &Self) -> bool {
        let oldest = self.ancestors.last().filter(|_| self.ancestors.len() >= MAX_ANCESTORS);
        oldest.is_some_and(|oldest| other.name.number <= oldest.number)
    }

    /// Whether this version has the change of the one with this head.
    pub(super) fn has(&self, head: &[u8]) -> bool {
        let names = std::iter::once(&self.name).chain(&self.ancestors);
        names.into_iter().any(|name| head_of(*name) == head)
    }

    /// The bytes that tell the version from all others.
    pub(super) fn head(&self) -> [u8; HEAD_LEN] {
        head_of(self.name)
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let count = u8::try_from(self.ancestors.len()).unwrap_or(u8::MAX);
        let ancestors: Vec<_> = self.ancestors.iter().map(|name| name.to_bytes()).collect();
        [&self.head()[..], &[count], ancestors.as_flattened()].concat()
    }

    /// Reads a stamp, and returns it with its bytes and those behind it. `ERR_SECRET_SEAL` if there
    /// is none.
    pub(super) fn read(bytes: &[u8]) -> Result<(Self, &[u8], &[u8])> {
        let read = || {
            let (head, rest) = bytes.split_first_chunk::<HEAD_LEN>()?;
            let (count, rest) = rest.split_first()?;
            let (names, sealed) = rest.split_at_checked(usize::from(*count) * NAME_LEN)?;
            let (ancestors, _) = names.as_chunks();
            let ancestors = ancestors.iter().map(VersionName::from_bytes).collect();
            let name = VersionName::from_bytes(head.last_chunk()?);
            let stamp = Self { name, ancestors };
            let is_known = head[0] == FORMAT && stamp.ancestors.len() <= MAX_ANCESTORS;
            is_known.then(|| (stamp, &bytes[..bytes.len() - sealed.len()], sealed))
        };
        read().ok_or_else(unreadable)
    }
}

fn head_of(name: VersionName) -> [u8; HEAD_LEN] {
    let mut head = [FORMAT; HEAD_LEN];
    head[1..].copy_from_slice(&name.to_bytes());
    head
}

/// The error for bytes that are no version of this ring.
pub(super) fn unreadable() -> Error {
    Error::new(
        Code::SecretSeal,
        "the server has something that does not open as this key ring: use the key and the prefix \
         with which the ring was made and a release that knows its format, or delete what is there",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_read_as_it_was_written_and_no_part_of_it_is_one() {
        let first = Stamp::first().unwrap();
        let stamp = first.child(None).unwrap().child(Some(&first)).unwrap();
        let bytes = [&stamp.to_bytes()[..], b"rest"].concat();
        let (read, own, rest) = Stamp::read(&bytes).unwrap();
        assert_eq!((&read, own, rest), (&stamp, &bytes[..bytes.len() - 4], &b"rest"[..]));
        for len in 0..own.len() {
            assert_eq!(Stamp::read(&bytes[..len]).unwrap_err().code, Code::SecretSeal, "{len}");
        }
        assert!(Stamp::read(&[0; 64]).is_err());
        assert!(Stamp::read(&[&[FORMAT; HEAD_LEN][..], &[255; 4100]].concat()).is_err());
    }

    #[test]
    fn a_version_knows_64_ancestors_of_all_its_lines() {
        let first = Stamp::first().unwrap();
        let (one, other) = (first.child(None).unwrap(), first.child(None).unwrap());
        assert_ne!(one, other);
        assert!(!one.descends_from(&other) && !one.descends_from(&one));
        let mut merged = one.child(Some(&other)).unwrap();
        assert_eq!(merged.name.number, 3);
        assert_eq!(merged.ancestors.len(), 3);
        assert!([&first, &one, &other].iter().all(|stamp| merged.descends_from(stamp)));
        for _ in 0..61 {
            merged = merged.child(None).unwrap();
        }
        assert!(merged.descends_from(&first));
        assert!([&first, &one, &other].iter().all(|stamp| merged.has(&stamp.head())));
        assert!(merged.has(&merged.head()) && !merged.has(&Stamp::first().unwrap().head()));
        merged = merged.child(None).unwrap();
        assert!(!merged.descends_from(&first) && merged.descends_from(&one));
        assert_eq!(Stamp::read(&merged.to_bytes()).unwrap().0, merged);
    }

    #[test]
    fn a_version_may_descend_from_those_that_are_older_than_64_ancestors_and_from_no_others() {
        let first = Stamp::first().unwrap();
        let mut line = vec![first.child(None).unwrap()];
        for _ in 0..64 {
            let last = line.last().unwrap();
            assert!(last.descends_from(&first) && !last.may_descend_from(&line[0]));
            line.push(line.last().unwrap().child(None).unwrap());
        }
        let last = line.last().unwrap();
        assert!(last.may_descend_from(&first) && !last.may_descend_from(&line[1]));
        // Apart from a version that the line still names.
        let apart = line[1].child(None).unwrap();
        assert!(!last.descends_from(&apart) && !last.may_descend_from(&apart));
        // The ancestors of both lines are the newest of both.
        let merged = last.child(Some(&apart)).unwrap();
        assert!(merged.descends_from(&apart) && merged.descends_from(last));
        assert!(merged.may_descend_from(&line[0]) && !merged.may_descend_from(&line[4]));
        assert!(line[4..].iter().all(|stamp| merged.descends_from(stamp)));
    }
}
