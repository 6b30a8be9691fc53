//! The head of a snapshot: its version, time, secret and limits.

use super::reader::{Reader, damaged};
use crate::error::Result;
use crate::limiter::fingerprint::Fingerprinter;
use crate::limiter::limit::{Limit, Limits, checked};
use crate::limiter::quota::{Algorithm, Quota};

const NAME: &[u8; 7] = b"NSLIMIT";
/// The versions that are read. The last one is written.
const VERSIONS: [u8; 2] = [1, 2];

pub(super) struct Head {
    pub version: u8,
    pub unix_millis: u64,
    pub fingerprinter: Fingerprinter,
    pub limits: Limits,
}

impl Head {
    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(NAME);
        bytes.push(self.version);
        bytes.extend_from_slice(&self.unix_millis.to_le_bytes());
        bytes.extend_from_slice(&self.fingerprinter.key());
        let is_fixed = self.algorithm() == Algorithm::FixedWindow;
        // Few enough for a byte, as the lengths of names are.
        bytes.extend_from_slice(&[u8::from(is_fixed), self.limits.len().to_le_bytes()[0]]);
        for limit in self.limits.iter() {
            let (quota, name) = (limit.quota(), limit.name().as_bytes());
            bytes.extend_from_slice(&quota.limit().to_le_bytes());
            bytes.extend_from_slice(&quota.burst().to_le_bytes());
            bytes.extend_from_slice(&quota.window_ms().to_le_bytes());
            bytes.extend_from_slice(&[u8::from(quota.is_strict()), name.len().to_le_bytes()[0]]);
            bytes.extend_from_slice(name);
        }
    }

    /// The head and the bytes behind it. Fails with `ERR_LIMIT_SNAPSHOT` unless the checksum is
    /// right and the version is known.
    pub(super) fn read(bytes: &[u8]) -> Result<(Self, Reader<'_>)> {
        let (body, checksum) = bytes.split_last_chunk().ok_or_else(damaged)?;
        let mut reader = Reader(body);
        let (name, version) = (reader.take(NAME.len())?, reader.byte()?);
        let unix_millis = reader.u64()?;
        let fingerprinter = Fingerprinter::with_key(reader.array()?);
        let is_whole = fingerprinter.checksum(body) == u64::from_le_bytes(*checksum);
        if name != NAME || !VERSIONS.contains(&version) || !is_whole {
            return Err(damaged());
        }
        let is_fixed = reader.byte()? == 1;
        let limits = (0..reader.byte()?).map(|_| limit(&mut reader, is_fixed));
        let limits = limits.collect::<Result<_>>()?;
        let limits = checked(limits).map_err(|_| damaged())?;
        Ok((Self { version, unix_millis, fingerprinter, limits }, reader))
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        self.limits[0].quota().algorithm()
    }
}

fn limit(reader: &mut Reader<'_>, is_fixed: bool) -> Result<Limit> {
    let (limit, burst, window_ms) = (reader.u32()?, reader.u32()?, reader.u64()?);
    let (is_strict, name_len) = (reader.byte()? == 1, reader.byte()?);
    let quota = match (is_fixed, is_strict) {
        (true, _) => Quota::fixed_window(limit, window_ms),
        (false, true) => Quota::strict(limit, window_ms, Some(burst)),
        (false, false) => Quota::new(limit, window_ms, Some(burst)),
    };
    let name = str::from_utf8(reader.take(name_len.into())?).map_err(|_| damaged())?;
    quota.and_then(|quota| Limit::new(name, quota)).map_err(|_| damaged())
}

/// The bytes of a state of one limit.
pub(super) fn state_len(algorithm: Algorithm) -> usize {
    match algorithm {
        Algorithm::Gcra => 8,
        Algorithm::FixedWindow => 16,
    }
}
