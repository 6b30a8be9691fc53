//! The `argon2` crate as an engine, in our own memory.

use argon2::{Argon2, AssociatedData, Params as CrateParams, ParamsBuilder};

use super::interface::{Engine, Inputs};
use crate::error::{Code, Error, Result};
use crate::password::cancel::Cancel;
use crate::password::memory::Pages;
use crate::password::params::{Algorithm, Version};

/// The engine of the `RustCrypto` project: AVX2 where the processor has it, one thread per hash. It
/// takes at most 32 bytes of associated data (`ERR_OUT_OF_RANGE`) and cannot be stopped while it
/// runs.
pub(super) struct RustCrypto;

impl Engine for RustCrypto {
    fn name(&self) -> &'static str {
        "rustcrypto"
    }

    fn derive(
        &self,
        inputs: &Inputs<'_>,
        memory: &mut Pages,
        tag: &mut [u8],
        cancel: &Cancel,
    ) -> Result<()> {
        cancel.check()?;
        let data = AssociatedData::new(inputs.associated_data).map_err(|_| {
            let max = CrateParams::MAX_DATA_LEN;
            let message =
                format!("associatedData must be at most {max} bytes with the engine rustcrypto");
            Error::new(Code::OutOfRange, message)
        })?;
        let params = ParamsBuilder::new()
            .m_cost(inputs.params.memory_cost())
            .t_cost(inputs.params.time_cost())
            .p_cost(inputs.params.parallelism())
            .data(data)
            .build()
            .map_err(error)?;
        let algorithm = match inputs.params.algorithm() {
            Algorithm::Argon2d => argon2::Algorithm::Argon2d,
            Algorithm::Argon2i => argon2::Algorithm::Argon2i,
            Algorithm::Argon2id => argon2::Algorithm::Argon2id,
        };
        let version = match inputs.params.version() {
            Version::V0x10 => argon2::Version::V0x10,
            Version::V0x13 => argon2::Version::V0x13,
        };
        Argon2::new_with_secret(inputs.secret, algorithm, version, params)
            .and_then(|argon2| {
                let blocks = memory.blocks::<argon2::Block>();
                argon2.hash_password_into_with_memory(inputs.password, inputs.salt, tag, blocks)
            })
            .map_err(error)
    }
}

/// Our types already refuse everything that the crate refuses.
fn error(error: argon2::Error) -> Error {
    Error::new(Code::Internal, format!("the Argon2 engine refused checked input: {error}"))
}
