//! `DpopReplayCache`, and the proofs of requests.

mod cache;
mod check;
pub(super) mod options;
mod proof;
