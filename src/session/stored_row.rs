//! The rows of sessions as a store has them. The store encrypts the value, not the name.

use std::sync::Arc;

use uuid::Uuid;
use zeroize::Zeroizing;

use super::family::{Family, Phase, Stamp};
use super::refresh_token::Step;
use crate::error::{Code, Error, Result};
use crate::store::Position;

/// The first byte of every value: the version of the format.
const VERSION: u8 = 1;
const PREFIX: &[u8; 8] = b"session/";
/// Stands for the length of meta data that are missing.
const NOTHING: u32 = u32::MAX;

/// Tells the starts of machines apart; zeros if the start is not known.
pub(super) type BootId = [u8; 16];

/// The present, for rows of an earlier start of the machine.
#[derive(Clone, Copy)]
pub(super) struct Present {
    pub boot_id: BootId,
    pub boot: i64,
    /// A time that has certainly passed, in milliseconds since 1970.
    pub proven: u64,
}

/// The name of a session's record.
pub(super) fn name_of(id: Uuid) -> Vec<u8> {
    [PREFIX, &id.as_bytes()[..]].concat()
}

/// The session of a record; `None` if it is another record.
pub(super) fn id_of(name: &[u8]) -> Option<Uuid> {
    Uuid::from_slice(name.strip_prefix(PREFIX)?).ok()
}

pub(super) fn encode(family: &Family, boot_id: &BootId) -> Zeroizing<Vec<u8>> {
    let meta = family.meta.as_deref().unwrap_or_default();
    let texts = family.subject.len() + family.claims.len() + meta.len();
    let mut bytes = Zeroizing::new(Vec::with_capacity(160 + texts));
    bytes.extend([VERSION, family.phase as u8]);
    for number in [family.current.generation, family.current.variant, family.previous] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(family.number.to_le_bytes());
    for Stamp { wall, boot } in [family.started, family.used] {
        bytes.extend(wall.to_le_bytes());
        bytes.extend(boot.to_le_bytes());
    }
    bytes.extend(family.issued_at.to_le_bytes());
    bytes.extend(family.linger.to_le_bytes());
    bytes.extend(boot_id);
    bytes.extend(family.secret);
    for text in [&family.subject, &family.claims] {
        bytes.extend(len_of(text).to_le_bytes());
        bytes.extend(text.as_bytes());
    }
    bytes.extend(family.meta.as_deref().map_or(NOTHING, len_of).to_le_bytes());
    bytes.extend(meta.as_bytes());
    bytes
}

/// Reads a value. Fails with `ERR_STORE_OPEN` if a later release wrote it.
pub(super) fn decode(value: &[u8], position: Position, present: Present) -> Result<Family> {
    let (&version, body) = value.split_first().ok_or_else(damaged)?;
    if version > VERSION {
        return Err(Error::new(
            Code::StoreOpen,
            "a later release of this package wrote the store; use that release",
        ));
    }
    let mut reader = Reader(body);
    let read = reader.family(position, present).filter(|_| version == VERSION);
    read.filter(|_| reader.0.is_empty()).ok_or_else(damaged)
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn family(&mut self, position: Position, present: Present) -> Option<Family> {
        let [phase] = self.array()?;
        let phases = [Phase::Live, Phase::Ending, Phase::Reused, Phase::Ended];
        let phase = *phases.get(usize::from(phase))?;
        let current = Step { generation: self.u32()?, variant: self.u32()? };
        let previous = self.u32()?;
        let number = self.u64()?;
        let mut stamp = || Some(Stamp { wall: self.u64()?, boot: self.u64()?.cast_signed() });
        let (mut started, mut used) = (stamp()?, stamp()?);
        let (issued_at, linger) = (self.u64()?, self.u64()?);
        let boot_id: BootId = self.array()?;
        let is_of_this_boot = boot_id == present.boot_id && boot_id != BootId::default();
        if !is_of_this_boot {
            for stamp in [&mut started, &mut used] {
                let passed = present.proven.saturating_sub(stamp.wall);
                stamp.boot = present.boot.saturating_sub_unsigned(passed);
            }
        }
        Some(Family {
            secret: self.array()?,
            subject: self.text()??,
            claims: self.text()??,
            meta: self.text()?,
            current,
            previous,
            number,
            phase,
            started,
            used,
            issued_at,
            linger,
            is_of_this_boot,
            position,
        })
    }

    /// A text; `Some(None)` for one that is missing.
    #[allow(clippy::option_option, reason = "malformed, or missing")]
    fn text(&mut self) -> Option<Option<Arc<str>>> {
        let len = self.u32()?;
        if len == NOTHING {
            return Some(None);
        }
        let (text, rest) = self.0.split_at_checked(usize::try_from(len).ok()?)?;
        self.0 = rest;
        Some(Some(std::str::from_utf8(text).ok()?.into()))
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }
}

/// The length of a text, which is far below the limit.
fn len_of(text: &str) -> u32 {
    u32::try_from(text.len()).unwrap_or(NOTHING)
}

fn damaged() -> Error {
    Error::new(
        Code::StoreCorrupt,
        "the store is damaged: a session cannot be read; restore its directory from a backup",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOOT: BootId = [3; 16];

    fn family() -> Family {
        Family {
            subject: "alice".into(),
            claims: r#"{"role":"admin"}"#.into(),
            meta: Some(r#"{"device":"phone"}"#.into()),
            secret: [9; 32],
            current: Step { generation: 7, variant: 2 },
            previous: 1,
            number: 5,
            phase: Phase::Live,
            started: Stamp { wall: 1_700_000_000_000, boot: 1000 },
            used: Stamp { wall: 1_700_000_100_000, boot: -2000 },
            issued_at: 1_700_000_100_001,
            linger: 4,
            is_of_this_boot: true,
            position: Position::START,
        }
    }

    fn present(boot_id: BootId) -> Present {
        Present { boot_id, boot: 50_000, proven: 1_700_000_099_000 }
    }

    fn read(bytes: &[u8], boot_id: BootId) -> Result<Family> {
        decode(bytes, Position::START, present(boot_id))
    }

    #[test]
    fn a_row_is_read_as_it_was_written_and_a_part_of_it_is_damage() {
        for phase in [Phase::Live, Phase::Ending, Phase::Reused, Phase::Ended] {
            for meta in [None, Some("".into()), Some("{}".into())] {
                let family = Family { meta, phase, ..family() };
                let bytes = encode(&family, &BOOT);
                assert_eq!(read(&bytes, BOOT).unwrap(), family);
                for len in 0..bytes.len() {
                    assert_eq!(read(&bytes[..len], BOOT).unwrap_err().code, Code::StoreCorrupt);
                }
                let longer = [&bytes[..], &[0]].concat();
                assert_eq!(read(&longer, BOOT).unwrap_err().code, Code::StoreCorrupt);
                let later = [&[2], &bytes[1..]].concat();
                assert_eq!(read(&later, BOOT).unwrap_err().code, Code::StoreOpen);
            }
        }
    }

    #[test]
    fn the_first_format_is_read() {
        let hex = "010007000000020000000100000005000000000000000068e5cf8b010000e8030000000000\
                   00a0eee6cf8b01000030f8ffffffffffffa1eee6cf8b0100000400000000000000\
                   03030303030303030303030303030303\
                   0909090909090909090909090909090909090909090909090909090909090909\
                   05000000616c696365100000007b22726f6c65223a2261646d696e227d\
                   120000007b22646576696365223a2270686f6e65227d";
        let fixture = base16ct::lower::decode_vec(hex).unwrap();
        assert_eq!(read(&fixture, BOOT).unwrap(), family());
        assert_eq!(**encode(&family(), &BOOT), *fixture);
    }

    #[test]
    fn the_boot_clock_of_an_earlier_start_becomes_an_estimate_that_is_not_early() {
        for boot_id in [[4; 16], BootId::default()] {
            let written = if boot_id == BootId::default() { boot_id } else { BOOT };
            let family = read(&encode(&family(), &written), boot_id).unwrap();
            assert!(!family.is_of_this_boot);
            // 99 s have certainly passed since the start, and none since the last use.
            assert_eq!((family.started.boot, family.used.boot), (50_000 - 99_000, 50_000));
        }
    }

    #[test]
    fn only_the_names_of_sessions_are_read() {
        let id = Uuid::from_u128(7);
        assert_eq!(id_of(&name_of(id)), Some(id));
        for name in [&b"session/"[..], b"sessions/key", b"revocation/keys", &name_of(id)[1..]] {
            assert_eq!(id_of(name), None);
        }
    }
}
