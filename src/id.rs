//! Makes identifiers and random tokens, all from the operating system's random generator.

use std::cell::RefCell;

use ring::rand::{SecureRandom, SystemRandom};
use uuid::Uuid;

use crate::error::{Code, Error, Result};

/// Fills `target` with random bytes.
pub fn random_bytes(target: &mut [u8]) -> Result<()> {
    SystemRandom::new().fill(target).map_err(|_| {
        Error::new(Code::Random, "the operating system's random generator gave no bytes; try again")
    })
}

thread_local! {
    static ID_BYTES: RefCell<IdBytes> = const { RefCell::new(IdBytes { bytes: [0; 1024], left: 0 }) };
}

/// Random bytes fetched ahead, for identifiers only. Identifiers are published anyway, so the next
/// ones may lie in memory, and a system call for each would cost more than signing.
struct IdBytes {
    bytes: [u8; 1024],
    left: usize,
}

fn id_bytes<const N: usize>() -> Result<[u8; N]> {
    ID_BYTES.with_borrow_mut(|ahead| {
        if ahead.left < N {
            random_bytes(&mut ahead.bytes)?;
            ahead.left = ahead.bytes.len();
        }
        let mut taken = [0; N];
        taken.copy_from_slice(&ahead.bytes[ahead.left - N..ahead.left]);
        ahead.left -= N;
        Ok(taken)
    })
}

/// A UUID of version 4 (RFC 9562 section 5.4): 122 random bits.
pub fn uuid_v4() -> Result<Uuid> {
    Ok(uuid::Builder::from_random_bytes(id_bytes()?).into_uuid())
}

/// A UUID of version 7 (RFC 9562 section 5.7): milliseconds since 1970, then 74 random bits.
pub fn uuid_v7(unix_millis: u64) -> Result<Uuid> {
    Ok(uuid::Builder::from_unix_timestamp_millis(unix_millis, &id_bytes()?).into_uuid())
}

/// A UUID of version 8 (RFC 9562 section 5.8): milliseconds since 1970, 12 random bits, then the
/// lower 62 bits of `tail`.
pub fn uuid_v8(unix_millis: u64, tail: u64) -> Result<Uuid> {
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&unix_millis.to_be_bytes()[2..]);
    bytes[6..8].copy_from_slice(&id_bytes::<2>()?);
    bytes[8..].copy_from_slice(&tail.to_be_bytes());
    Ok(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

/// The milliseconds since 1970 of a UUID of version 7 in its usual form with hyphens.
pub fn uuid_v7_millis(text: &str) -> Option<u64> {
    // The other forms that the crate reads have other lengths.
    let id = Uuid::try_parse(text).ok().filter(|_| text.len() == 36)?;
    // 48 bits, so it fits.
    (id.get_version_num() == 7).then(|| u64::try_from(id.as_u128() >> 80).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_an_id_is_read_from_version_7_only() {
        let id = uuid_v7(1_700_000_000_123).unwrap();
        assert_eq!(uuid_v7_millis(&id.to_string()), Some(1_700_000_000_123));
        assert_eq!(
            uuid_v7_millis(&uuid_v7((1 << 48) - 1).unwrap().to_string()),
            Some((1 << 48) - 1)
        );
        assert_eq!(uuid_v7_millis(&uuid_v4().unwrap().to_string()), None);
        for other in
            [id.simple().to_string(), id.urn().to_string(), format!("{id} "), String::new()]
        {
            assert_eq!(uuid_v7_millis(&other), None, "{other}");
        }
    }

    #[test]
    fn ids_have_their_version_and_time_and_differ() {
        assert_eq!(uuid_v4().unwrap().get_version_num(), 4);
        let id = uuid_v7(1_700_000_000_123).unwrap();
        assert_eq!(id.get_version_num(), 7);
        assert_eq!(id.as_u128() >> 80, 1_700_000_000_123);
        let ids: std::collections::HashSet<_> = (0..1000).map(|_| uuid_v7(1).unwrap()).collect();
        assert_eq!(ids.len(), 1000);
        let tail = 0xf123_4567_89ab_cdef;
        let id = uuid_v8(1_700_000_000_123, tail).unwrap();
        assert_eq!((id.get_version_num(), id.get_variant()), (8, uuid::Variant::RFC4122));
        assert_eq!(id.as_u128() >> 80, 1_700_000_000_123);
        assert_eq!(id.as_u64_pair().1 << 2, tail << 2);
    }
}
