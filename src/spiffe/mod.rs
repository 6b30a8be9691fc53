//! SPIFFE: workload identities as URIs, and the certificates that carry them.

mod certificate;
mod id;

pub use certificate::{Encoding, id_of};
pub use id::{MAX_ID_LEN, SpiffeId, TrustDomain};
