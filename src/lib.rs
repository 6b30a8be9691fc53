//! Security primitives for Node services.
//!
//! Data flows one way: JavaScript façade → `binding` → a capability → `secret`, `heap`, `os`, `id`,
//! `clock`, `error`. A capability never imports `napi`, and a sibling only downwards: `session`,
//! `jwt`, `revocation` and `spiffe`, then `limiter` and `password`. `scripts/layers.mjs` fails the
//! build when an arrow points up.

// Plain comments at the modules: with a doc comment here, rustdoc would look up the links of their
// own documentation in this file.

// The N-API layer: convert, call the core, map the error. The only place that knows Node.
#[cfg(feature = "binding")]
pub mod binding;
// The two clocks everything reads, so that tests need not sleep.
pub mod clock;
// Every error the library can give, each with its stable code.
pub mod error;
// Protected memory, lent in slots.
#[allow(unsafe_code, reason = "memory that it lends and takes back")]
pub mod heap;
// Identifiers and random tokens.
pub mod id;
// Compact JWS and JWT: keys, the key ring, the issuer, the verifier.
pub mod jwt;
// GCRA over a table of bounded size.
pub mod limiter;
// Every call of the operating system.
#[allow(unsafe_code, reason = "calls of the operating system")]
pub mod os;
// Argon2 policies, PHC strings, the engine seam and the worker pool.
pub mod password;
// Objects that all threads of the process share by name.
pub mod registry;
// What has been taken back: tokens, sessions, subjects and keys, until they would expire anyway.
pub mod revocation;
// Secrets in the secure heap: stored, sealed, handed over, and read from files and variables.
pub mod secret;
// Refresh-token families: rotation with reuse detection.
pub mod session;
// SPIFFE IDs, and the certificates that carry them.
pub mod spiffe;
// Shared by the tests.
#[cfg(test)]
mod testing;
