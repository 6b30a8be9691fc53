//! The durable log of a service: entries that are appended, and records that are replaced, in a
//! directory that every process of the machine may open.
//!
//! It promises that a change which was reported as done is found by every process from then on,
//! also after any of them was killed or the machine lost power, and that a store which has lost
//! rows fails with a code instead of answering with fewer. It knows bytes and numbers, and nothing
//! of tokens.
//!
//! - `database` is the engine, behind the trait of `engine`, with the locks of `file_locks`. Each
//!   transaction replaces the `head`, which authenticates the number and the sum of all rows with
//!   the `keys`. `files` notices a program that replaces the files.
//! - `epoch` is a mapped file with the number of the last transaction, raised before a commit is
//!   reported. Readers compare it with what they know, and `follow` when it has moved.
//! - `opening` makes and checks the files and `replay`s the rows. `openers` holds one store for
//!   each directory, with its `writer`, the only thread that commits.

mod apply;
mod backup;
mod batch;
mod counters;
mod database;
mod directory;
mod engine;
mod epoch;
mod fault;
#[allow(unsafe_code, reason = "replaces a call of SQLite")]
mod file_locks;
mod files;
mod follow;
mod follower;
#[cfg(any(test, feature = "fuzz"))]
#[allow(clippy::expect_used, reason = "a failed expectation is a finding")]
pub(crate) mod fuzz;
mod group;
mod head;
mod health;
mod keys;
mod log_file;
mod openers;
mod opening;
mod options;
mod queue;
mod record;
mod replay;
mod row;
mod shared;
mod slot;
#[allow(clippy::module_inception, reason = "the type that the room is named after")]
mod store;
mod writer;

#[cfg(test)]
mod tests;

pub use batch::{Batch, Commit, Expected, MAX_NAME_LEN, MAX_VALUE_LEN, Receipt, RecordChange};
pub use counters::StoreStats;
pub use fault::closed;
pub use follower::{Appended, Follower};
pub use keys::MIN_KEY_LEN;
pub use options::{Durability, StoreOptions};
pub use queue::{Told, Waiter};
pub use record::SealedRecord;
pub use replay::Replay;
pub use row::{Entry, MAX_ROWS, Position, Sequence};
pub use slot::StoreSlot;
pub use store::Store;
