//! Tests whether two engines agree on a few small hashes, in under 5 ms.

use super::interface::{Engine, Inputs};
use crate::error::Result;
use crate::password::cancel::Cancel;
use crate::password::memory::{self, Pages};
use crate::password::params::{Algorithm, Params, Version};

/// Memory, passes and lanes. Together they cover one lane and several, an odd number of lanes, and
/// segments with more blocks than one block of addresses serves.
const COSTS: [(u32, u32, u32); 2] = [(56, 2, 3), (536, 1, 1)];

/// Whether both engines give the same tag for every variant, version and form of memory. Fails with
/// `ERR_PASSWORD_MEMORY` if there is no memory for the test.
pub(super) fn agree(one: &dyn Engine, other: &dyn Engine) -> Result<bool> {
    for algorithm in Algorithm::ALL {
        for version in [Version::V0x10, Version::V0x13] {
            for (m, t, p) in COSTS {
                let params = Params::new(algorithm, version, m, t, p)?;
                let len = usize::try_from(params.memory_len()).unwrap_or(usize::MAX);
                let mut memory = memory::take(len)?;
                let tags = [one, other].map(|engine| tag(engine, params, &mut memory));
                if !matches!(tags, [Ok(one), Ok(other)] if one == other) {
                    return Ok(false);
                }
            }
        }
    }
    Ok(true)
}

fn tag(engine: &dyn Engine, params: Params, memory: &mut Pages) -> Result<[u8; 32]> {
    let inputs = Inputs {
        params,
        password: b"no secret",
        salt: b"self-test",
        secret: b"key",
        associated_data: b"data",
    };
    let mut tag = [0; 32];
    engine.derive(&inputs, memory, &mut tag, &Cancel::default())?;
    Ok(tag)
}

#[cfg(test)]
mod tests {
    use super::super::kernel;
    use super::super::own::Own;
    use super::super::rustcrypto::RustCrypto;
    use super::*;

    /// An engine that is wrong for one variant and version only.
    struct Wrong(Algorithm, Version);

    impl Engine for Wrong {
        fn name(&self) -> &'static str {
            "wrong"
        }

        fn derive(
            &self,
            inputs: &Inputs<'_>,
            memory: &mut Pages,
            tag: &mut [u8],
            cancel: &Cancel,
        ) -> Result<()> {
            RustCrypto.derive(inputs, memory, tag, cancel)?;
            if (inputs.params.algorithm(), inputs.params.version()) == (self.0, self.1) {
                tag[31] ^= 1;
            }
            Ok(())
        }
    }

    #[test]
    fn every_kernel_agrees_with_the_crate() {
        for kernel in kernel::available() {
            assert!(agree(&Own::new(kernel), &RustCrypto).unwrap(), "{}", kernel.name());
        }
    }

    #[test]
    fn one_wrong_bit_is_seen() {
        for algorithm in Algorithm::ALL {
            for version in [Version::V0x10, Version::V0x13] {
                assert!(!agree(&Wrong(algorithm, version), &RustCrypto).unwrap());
            }
        }
    }
}
