//! Reads the rows of sessions and refresh tokens from any bytes: see [`crate::fuzz`].

use super::refresh_token::Codec;
use super::stored_row::{Present, decode, encode, id_of, name_of};
use crate::error::Code;
use crate::secret::Secret;
use crate::store::Position;

const BOOT: [u8; 16] = [3; 16];

/// Returns whether the bytes are the row of a session. It is then written and read again.
pub(crate) fn row(bytes: &[u8]) -> bool {
    let key = Secret::copy_from(&[7; 32]).expect("a key");
    let codec = Codec::with_key(&key).expect("a codec");
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Some(token) = codec.decode(text)
    {
        assert_eq!(codec.encode(&token), text);
    }
    if let Some(id) = id_of(bytes) {
        assert_eq!(name_of(id), bytes);
    }
    let present = Present { boot_id: BOOT, boot: 50_000, proven: 1_700_000_099_000 };
    match decode(bytes, Position::START, present) {
        Ok(family) => {
            let written = encode(&family, &BOOT);
            let again = decode(&written, Position::START, present).expect("its own row");
            let family = super::family::Family { is_of_this_boot: true, ..family };
            assert_eq!(again, family);
            true
        }
        Err(error) => {
            assert!([Code::StoreCorrupt, Code::StoreOpen].contains(&error.code), "{error}");
            false
        }
    }
}
