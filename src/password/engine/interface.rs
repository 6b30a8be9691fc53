//! The interface of an Argon2 implementation: its inputs, and the trait that it has.

use crate::error::Result;
use crate::password::cancel::Cancel;
use crate::password::memory::Pages;
use crate::password::params::Params;

/// The inputs of an Argon2 tag (RFC 9106 section 3.1). All lengths are hashed in, so an empty
/// secret is no secret.
pub(crate) struct Inputs<'a> {
    /// Variant, version and costs.
    pub params: Params,
    /// The password `P`.
    pub password: &'a [u8],
    /// The salt `S`, 8 bytes or more.
    pub salt: &'a [u8],
    /// The pepper `K`, or nothing.
    pub secret: &'a [u8],
    /// The associated data `X`, or nothing.
    pub associated_data: &'a [u8],
}

/// An implementation of Argon2.
pub(crate) trait Engine: Send + Sync {
    /// As in `NODESEC_ARGON2`.
    fn name(&self) -> &'static str;

    /// Fills `tag`, whose length is hashed in. `memory` is for at least
    /// [`Params::memory_len`] bytes; it may hold anything, and is not wiped. `ABORT_ERR` when
    /// cancelled.
    fn derive(
        &self,
        inputs: &Inputs<'_>,
        memory: &mut Pages,
        tag: &mut [u8],
        cancel: &Cancel,
    ) -> Result<()>;
}
