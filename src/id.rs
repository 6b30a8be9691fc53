//! Identifiers and random tokens, all from the operating system's generator.

use ring::rand::{SecureRandom, SystemRandom};
use uuid::Uuid;

use crate::error::{Code, Error, Result};

/// Fills `target` with random bytes.
pub fn random_bytes(target: &mut [u8]) -> Result<()> {
    SystemRandom::new().fill(target).map_err(|_| {
        Error::new(Code::Random, "the operating system's random generator gave no bytes; try again")
    })
}

/// A UUID of version 4 (RFC 9562 section 5.4): 122 random bits.
pub fn uuid_v4() -> Result<Uuid> {
    let mut bytes = [0; 16];
    random_bytes(&mut bytes)?;
    Ok(uuid::Builder::from_random_bytes(bytes).into_uuid())
}

/// A UUID of version 7 (RFC 9562 section 5.7): milliseconds since 1970, then 74 random bits.
pub fn uuid_v7(unix_millis: u64) -> Result<Uuid> {
    let mut random = [0; 10];
    random_bytes(&mut random)?;
    Ok(uuid::Builder::from_unix_timestamp_millis(unix_millis, &random).into_uuid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_time() {
        assert_eq!(uuid_v4().unwrap().get_version_num(), 4);
        let id = uuid_v7(1_700_000_000_123).unwrap();
        assert_eq!(id.get_version_num(), 7);
        assert_eq!(id.as_u128() >> 80, 1_700_000_000_123);
        assert_ne!(uuid_v7(1).unwrap(), uuid_v7(1).unwrap());
    }
}
