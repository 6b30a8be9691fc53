//! The interface of an Argon2 implementation: its trait and its inputs.

use crate::error::Result;
use crate::password::cancel::Cancel;
use crate::password::memory::Pages;
use crate::password::params::Params;

/// The inputs of an Argon2 tag (RFC 9106 section 3.1). All lengths are hashed too, so an empty
/// secret equals no secret.
pub(crate) struct Inputs<'a> {
    /// Variant, version and costs.
    pub params: Params,
    /// The password `P`.
    pub password: &'a [u8],
    /// The salt `S`, 8 bytes or more.
    pub salt: &'a [u8],
    /// The pepper `K`, or empty.
    pub secret: &'a [u8],
    /// The associated data `X`, or empty.
    pub associated_data: &'a [u8],
}

/// An implementation of Argon2.
pub(crate) trait Engine: Send + Sync {
    /// The name in `NODESEC_ARGON2`.
    fn name(&self) -> &'static str;

    /// Fills `tag`, whose length is hashed too. `memory` holds at least [`Params::memory_len`]
    /// bytes; it may have any content, and `derive` does not wipe it. Fails with `ABORT_ERR` if
    /// cancelled.
    fn derive(
        &self,
        inputs: &Inputs<'_>,
        memory: &mut Pages,
        tag: &mut [u8],
        cancel: &Cancel,
    ) -> Result<()>;
}
