//! Peppers by id: new digests use the current one, and older digests name the one they were made
//! with.

use crate::error::{Code, Error, Result};
use crate::password::job::MAX_SECRET_LEN;
use crate::password::phc::MAX_KEYID_LEN;
use crate::secret::Secret;

/// The shortest pepper, in bytes: 128 bits cannot be guessed together with a password.
pub const MIN_PEPPER_LEN: usize = 16;

/// The longest pepper, in bytes.
pub const MAX_PEPPER_LEN: usize = MAX_SECRET_LEN;

/// The most peppers of one hasher.
pub const MAX_PEPPERS: usize = 64;

/// Peppers in secret memory. One of them is current.
#[derive(Debug)]
pub struct Peppers {
    keys: Vec<(Vec<u8>, Secret)>,
    current: usize,
}

impl Peppers {
    /// Peppers of [`MIN_PEPPER_LEN`] to [`MAX_PEPPER_LEN`] bytes under ids of 1 to
    /// [`MAX_KEYID_LEN`] bytes; `current` is one of the ids. Fails with `ERR_OUT_OF_RANGE` for
    /// other lengths, no pepper or more than [`MAX_PEPPERS`], and with `ERR_INVALID_ARG_VALUE` for
    /// an id given twice or an unknown current id.
    pub fn new(current: &[u8], keys: Vec<(Vec<u8>, Secret)>) -> Result<Self> {
        if !(1..=MAX_PEPPERS).contains(&keys.len()) {
            return Err(out_of_range(format!("peppers.keys must have 1 to {MAX_PEPPERS} peppers")));
        }
        for (index, (id, key)) in keys.iter().enumerate() {
            if !(1..=MAX_KEYID_LEN).contains(&id.len()) {
                let message = format!("a pepper's id must be 1 to {MAX_KEYID_LEN} bytes long");
                return Err(out_of_range(message));
            }
            if !(MIN_PEPPER_LEN..=MAX_PEPPER_LEN).contains(&key.len()) {
                return Err(out_of_range(format!(
                    "a pepper must be {MIN_PEPPER_LEN} to {MAX_PEPPER_LEN} bytes long"
                )));
            }
            if keys[..index].iter().any(|(earlier, _)| earlier == id) {
                return Err(Error::new(
                    Code::InvalidArgValue,
                    "peppers.keys must not have an id twice",
                ));
            }
        }
        let current = keys.iter().position(|(id, _)| id == current).ok_or_else(|| {
            Error::new(Code::InvalidArgValue, "peppers.current must be one of peppers.keys")
        })?;
        Ok(Self { keys, current })
    }

    /// The id and the pepper for new digests.
    pub fn current(&self) -> (&[u8], &Secret) {
        let (id, key) = &self.keys[self.current];
        (id, key)
    }

    /// The pepper with this id.
    pub fn find(&self, id: &[u8]) -> Option<&Secret> {
        self.keys.iter().find(|(known, _)| known == id).map(|(_, key)| key)
    }
}

fn out_of_range(message: String) -> Error {
    Error::new(Code::OutOfRange, message)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn peppers(current: &str, ids: &[&str], len: usize) -> Result<Peppers> {
        let key = |id: &&str| {
            (
                id.as_bytes().to_vec(),
                Secret::copy_from(&vec![u8::try_from(id.len()).unwrap(); len]).unwrap(),
            )
        };
        Peppers::new(current.as_bytes(), ids.iter().map(key).collect())
    }

    #[test]
    fn a_pepper_is_found_by_its_id_only() {
        let peppers = peppers("b2", &["a", "b2", "eight888"], 16).unwrap();
        assert_eq!(peppers.current().0, b"b2");
        assert_eq!(peppers.current().1.expose_secret(), [2; 16]);
        assert_eq!(peppers.find(b"eight888").unwrap().expose_secret(), [8; 16]);
        assert!(peppers.find(b"c").is_none() && peppers.find(b"").is_none());
        assert!(!format!("{peppers:?}").contains("2, 2"));
    }

    #[test]
    fn bad_ids_lengths_and_duplicates_are_refused() {
        let code = |result: Result<Peppers>| result.unwrap_err().code;
        assert_eq!(code(peppers("a", &[], 16)), Code::OutOfRange);
        assert_eq!(code(peppers("", &[""], 16)), Code::OutOfRange);
        assert_eq!(code(peppers("nine99999", &["nine99999"], 16)), Code::OutOfRange);
        assert_eq!(code(peppers("a", &["a"], MIN_PEPPER_LEN - 1)), Code::OutOfRange);
        assert_eq!(code(peppers("a", &["a"], MAX_PEPPER_LEN + 1)), Code::OutOfRange);
        assert_eq!(code(peppers("b", &["a"], 16)), Code::InvalidArgValue);
        assert_eq!(code(peppers("a", &["a", "a"], 16)), Code::InvalidArgValue);
        let many: Vec<String> = (0..=MAX_PEPPERS).map(|number| number.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(code(peppers("0", &many, 16)), Code::OutOfRange);
    }
}
