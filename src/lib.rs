//! Security primitives for Node services.
//!
//! Data flows one way: JavaScript façade → `binding` → a capability → `secret`, `heap`, `os`, `id`,
//! `clock`, `error`. A capability never imports `napi`. Capabilities have levels, from the top:
//! `session` and `dpop`; `jwt`; `revocation` and `spiffe`; `limiter` and `password`; `store`. A
//! capability imports only capabilities of lower levels. `scripts/layers.mjs` fails the build when
//! an import points up.

// The modules have plain comments here: with a doc comment, rustdoc would resolve the links in a
// module's own documentation from this file.

// Keyed hashes, which stand for ids in the audit trail.
pub mod audit;
// The N-API layer: converts arguments, calls the core, maps errors. The only module that knows
// Node.
#[cfg(feature = "binding")]
pub mod binding;
// The two clocks that all code reads through a trait, so that tests need not sleep.
pub mod clock;
// Proofs of possession of a key (DPoP), and the memory of those that have been used.
pub mod dpop;
// Every error the library can give, each with its stable code.
pub mod error;
// Protected memory, which is handed out in slots.
#[allow(unsafe_code, reason = "memory that it lends and takes back")]
pub mod heap;
// Every reader of outside data, for fuzzing.
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
// Identifiers and random tokens.
pub mod id;
// The key under which a client's address is counted.
pub mod ip_key;
// Compact JWS and JWT: keys, the key ring, the issuer, the verifier.
pub mod jwt;
// Files of words that every process of the machine maps.
pub mod machine_file;
// Functions that an object calls with its changes.
pub mod listeners;
// The rate limiter: GCRA over a table of bounded size.
pub mod limiter;
// Conditions of the process that its audit trail is told of.
pub mod notice;
// All calls to the operating system.
#[allow(unsafe_code, reason = "calls of the operating system")]
pub mod os;
// Password hashing: Argon2 policies, PHC strings, the interface to the engines and the worker pool.
pub mod password;
// Objects that all threads of the process share by name.
pub mod registry;
// The revocation list: revoked tokens, sessions, subjects and keys, until they would expire anyway.
pub mod revocation;
// Secrets in the secure heap: stored, sealed, handed over, and read from files and variables.
pub mod secret;
// Refresh-token families: rotation with reuse detection.
pub mod session;
// SPIFFE IDs, and the certificates that carry them.
pub mod spiffe;
// The durable log: entries and records that every process of a machine shares.
pub mod store;
// Helpers that the tests share.
#[cfg(test)]
mod testing;
