//! Opens the files of a store: makes what is missing, and checks what is there.

use std::process;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use super::counters::Counters;
use super::database::Database;
use super::directory::Directory;
use super::engine::Engine;
use super::epoch::{Epoch, LockedEpoch};
use super::fault::{busy, cannot_open, corrupt, older};
use super::files::OpenFiles;
use super::head::Head;
use super::health::Health;
use super::keys::Keys;
use super::options::StoreOptions;
use super::queue::Queue;
use super::replay::{Replay, replay};
use super::row::Sequence;
use super::shared::Shared;
use crate::clock::{Clock, SystemClock};
use crate::error::Result;
use crate::os::{Native, Storage};

/// A store that is open, and the connection for its writer.
pub(super) struct Opened {
    pub(super) shared: Arc<Shared>,
    pub(super) engine: Box<dyn Engine>,
}

/// Opens a store that this process does not have open, and gives all rows to a state.
pub(super) fn open(
    directory: Directory,
    keys: Keys,
    options: StoreOptions,
    mut state: Box<dyn Replay>,
) -> Result<Opened> {
    let locked = LockedEpoch::open(&directory, options.busy)?;
    let OpenedDatabase { mut engine, has_lost } =
        Native::within_file_size(|| open_database(&directory, &keys, &options, &locked))?;
    let epoch = locked.unlock(options.durability, has_lost)?;
    // Read before the head: a head is never older than an epoch that was read before it.
    let last = epoch.get();
    epoch.exchange_time();
    let replayed = replay(&mut engine, &keys, &mut *state)?;
    if replayed.sequence < last {
        return Err(older());
    }
    epoch.raise(replayed.sequence);
    let reader: Box<dyn Engine> = Box::new(Database::open(&directory.database(), &options, false)?);
    let shared = Shared {
        files: OpenFiles::note(&directory)?,
        options,
        keys,
        has_loss_to_tell: AtomicBool::new(epoch.has_lost()),
        epoch,
        health: Health::default(),
        queue: Queue::default(),
        counters: Counters::default(),
        openers: AtomicUsize::new(0),
        lost_at: AtomicU64::new(replayed.lost_at),
        replayed,
        state: state.into(),
        process: process::id(),
        reader: Mutex::new(Some(reader)),
        backups: RwLock::default(),
        directory,
    };
    Ok(Opened { shared: Arc::new(shared), engine: Box::new(engine) })
}

struct OpenedDatabase {
    engine: Database,
    /// Whether it had lost commits, which was not known before.
    has_lost: bool,
}

/// Opens the database, and makes it if the epoch says that there has never been one.
fn open_database(
    directory: &Directory,
    keys: &Keys,
    options: &StoreOptions,
    locked: &LockedEpoch,
) -> Result<OpenedDatabase> {
    let epoch = locked.epoch();
    let last = epoch.get();
    let id = if let Some(id) = directory.database_id()? {
        id
    } else {
        if last > 0 {
            return Err(corrupt("its database is missing"));
        }
        directory.create_database()?;
        directory.database_id()?.ok_or_else(|| corrupt("its database is missing"))?
    };
    // POSIX locks end when any descriptor of the file is closed, so SQLite is safe only if no other
    // code has one.
    if Native::has_descriptor(id) {
        return Err(cannot_open(
            "the store's database is open in this process already, by another copy of this module \
             or by other code; load the module once, and leave the file to it",
        ));
    }
    let mut database = Database::open(&directory.database(), options, true)?;
    if database.is_blank()? {
        if last > 0 {
            return Err(corrupt("its database is empty"));
        }
        create(&mut database, keys, epoch, options.busy)?;
    }
    database.check_format()?;
    let head = Head::read(&mut database, keys)?;
    if head.store != epoch.store() {
        return Err(corrupt("its database and its epoch are of different stores"));
    }
    let has_lost = head.sequence < last;
    if has_lost {
        if !locked.may_have_lost() {
            return Err(older());
        }
        // The clock of a machine that has just started may be behind.
        let now = SystemClock.unix_millis().max(epoch.latest_time());
        note_loss(&mut database, keys, (last, now), options.busy)?;
    }
    Ok(OpenedDatabase { engine: database, has_lost })
}

/// Writes the tables and the first head.
fn create(database: &mut Database, keys: &Keys, epoch: &Epoch, wait: Duration) -> Result<()> {
    begin(database, wait)?;
    let head = Head { store: epoch.store(), sequence: 1, ..Head::default() };
    let made = database.create(&head.to_bytes(keys), keys.check());
    if made.is_err() {
        database.rollback();
    }
    made?;
    database.commit()?;
    epoch.raise(1);
    Ok(())
}

/// Records that commits up to `last` were lost when the machine stopped, and goes on behind them.
fn note_loss(
    database: &mut Database,
    keys: &Keys,
    (last, now): (Sequence, u64),
    wait: Duration,
) -> Result<()> {
    begin(database, wait)?;
    let noted = Head::read(database, keys).and_then(|mut head| {
        head.sequence = last;
        head.sequence = head.next()?;
        head.lost_at = now;
        database.set_head(&head.to_bytes(keys))
    });
    if noted.is_err() {
        database.rollback();
    }
    noted?;
    database.commit()
}

fn begin(database: &mut Database, wait: Duration) -> Result<()> {
    let began = Instant::now();
    while !database.begin()? {
        if began.elapsed() >= wait {
            return Err(busy());
        }
        thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}
