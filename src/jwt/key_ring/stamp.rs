//! The name of a version of a ring on a server. It stands before the sealed bytes of the version,
//! is not secret, and is authenticated with them.
//!
//! A stamp is `format (1) ‖ number (8, big-endian) ‖ tag (8) ‖ number of ancestors (1) ‖ their tags
//! (8 each)`. The number counts the changes of the ring. The tag is random, because a server that
//! has lost versions may get other ones with the same numbers. The ancestors are the newest
//! versions from which this one was made: versions without a common line are merged.

use crate::error::{Code, Error, Result};
use crate::id::random_bytes;

const FORMAT: u8 = 1;
/// The most ancestors of a stamp. A process that has missed more versions merges, which costs a
/// version and loses nothing.
const MAX_ANCESTORS: usize = 64;
/// Bytes of the head, which tells a version from all others.
pub const HEAD_LEN: usize = 17;

type Tag = [u8; 8];

/// The name of a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub number: u64,
    pub tag: Tag,
    /// The newest first.
    ancestors: Vec<Tag>,
}

impl Stamp {
    /// The stamp of the first version of a ring.
    pub(super) fn first() -> Result<Self> {
        Ok(Self { number: 1, tag: random_tag()?, ancestors: Vec::new() })
    }

    /// The stamp of a version that is made from this one, and from another one if it merges both.
    pub(super) fn child(&self, other: Option<&Self>) -> Result<Self> {
        let lines = [Some(self), other].into_iter().flatten();
        let mut ancestors: Vec<Tag> = lines.clone().map(|stamp| stamp.tag).collect();
        let longest = lines.clone().map(|stamp| stamp.ancestors.len()).max().unwrap_or(0);
        for age in 0..longest {
            for tag in lines.clone().filter_map(|stamp| stamp.ancestors.get(age)) {
                if !ancestors.contains(tag) {
                    ancestors.push(*tag);
                }
            }
        }
        ancestors.truncate(MAX_ANCESTORS);
        let number = lines.map(|stamp| stamp.number).max().unwrap_or(0).saturating_add(1);
        Ok(Self { number, tag: random_tag()?, ancestors })
    }

    /// Whether this version was made from another one.
    pub(super) fn descends_from(&self, other: &Self) -> bool {
        self.ancestors.contains(&other.tag)
    }

    /// The bytes that tell the version from all others.
    pub(super) fn head(&self) -> [u8; HEAD_LEN] {
        let mut head = [FORMAT; HEAD_LEN];
        head[1..9].copy_from_slice(&self.number.to_be_bytes());
        head[9..].copy_from_slice(&self.tag);
        head
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let count = u8::try_from(self.ancestors.len()).unwrap_or(u8::MAX);
        [&self.head()[..], &[count], self.ancestors.as_flattened()].concat()
    }

    /// Reads a stamp, and returns it with its bytes and those behind it. `ERR_SECRET_SEAL` if there
    /// is none.
    pub(super) fn read(bytes: &[u8]) -> Result<(Self, &[u8], &[u8])> {
        let read = || {
            let (head, rest) = bytes.split_first_chunk::<HEAD_LEN>()?;
            let (count, rest) = rest.split_first()?;
            let (tags, sealed) = rest.split_at_checked(usize::from(*count) * size_of::<Tag>())?;
            let number = u64::from_be_bytes(*head[1..].first_chunk()?);
            let (ancestors, _) = tags.as_chunks();
            let stamp = Self { number, tag: *head.last_chunk()?, ancestors: ancestors.to_vec() };
            let is_known = head[0] == FORMAT && stamp.ancestors.len() <= MAX_ANCESTORS;
            is_known.then(|| (stamp, &bytes[..bytes.len() - sealed.len()], sealed))
        };
        read().ok_or_else(unreadable)
    }
}

fn random_tag() -> Result<Tag> {
    let mut tag = Tag::default();
    random_bytes(&mut tag)?;
    Ok(tag)
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
        assert!(Stamp::read(&[&[1; HEAD_LEN][..], &[255; 2100]].concat()).is_err());
    }

    #[test]
    fn a_version_knows_64_ancestors_of_all_its_lines() {
        let first = Stamp::first().unwrap();
        let (one, other) = (first.child(None).unwrap(), first.child(None).unwrap());
        assert_ne!(one, other);
        assert!(!one.descends_from(&other) && !one.descends_from(&one));
        let mut merged = one.child(Some(&other)).unwrap();
        assert_eq!(merged.number, 3);
        assert_eq!(merged.ancestors.len(), 3);
        assert!([&first, &one, &other].iter().all(|stamp| merged.descends_from(stamp)));
        for _ in 0..61 {
            merged = merged.child(None).unwrap();
        }
        assert!(merged.descends_from(&first));
        merged = merged.child(None).unwrap();
        assert!(!merged.descends_from(&first) && merged.descends_from(&one));
        assert_eq!(Stamp::read(&merged.to_bytes()).unwrap().0, merged);
    }
}
