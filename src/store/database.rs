//! SQLite as the engine of a store, in WAL mode. Only this file and `file_locks` name `rusqlite`.
//!
//! A connection keeps its statements prepared: a commit needs eight, and to prepare each would take
//! as long as the disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::ffi::ErrorCode;
use rusqlite::{CachedStatement, Connection, OpenFlags, OptionalExtension, Params};

use super::directory::{has_room, is_failing, is_read_only};
use super::engine::{Engine, VisitEntry, VisitRecord};
use super::fault::{busy, cannot_open, corrupt, full, read_only, system};
use super::file_locks;
use super::files::LOG_LIMIT;
use super::head::FORMAT;
use super::keys::MAC_LEN;
use super::log_file::LogFile;
use super::options::{Durability, StoreOptions};
use super::row::{Entry, Position};
use crate::error::{Code, Error, Result};

/// `NSst`, in the header of the file.
const APPLICATION_ID: i32 = 0x4E53_7374;

/// Records are clustered by name, so an index by position holds nothing but both.
const SCHEMA: [&str; 4] = [
    "CREATE TABLE entries(position INTEGER PRIMARY KEY, entry BLOB NOT NULL)",
    "CREATE TABLE head(id INTEGER PRIMARY KEY, value BLOB NOT NULL, key_check BLOB NOT NULL)",
    "CREATE TABLE records(name BLOB PRIMARY KEY, position INTEGER NOT NULL, value BLOB NOT NULL) \
     WITHOUT ROWID",
    "CREATE UNIQUE INDEX records_by_position ON records(position)",
];

pub(super) struct Database {
    connection: Connection,
    directory: PathBuf,
    /// The log, if commits wait for the disk.
    log: Option<LogFile>,
    /// The longest wait for a lock, except for that of [`Engine::begin`].
    busy: Duration,
}

impl Database {
    /// Opens a file that exists and may be empty, for reading and for `writes`.
    pub(super) fn open(path: &Path, options: &StoreOptions, writes: bool) -> Result<Self> {
        file_locks::belong_to_descriptors();
        let directory = path.parent().unwrap_or(path).to_owned();
        let fault = |error| failure(&error, &directory);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(fault)?;
        connection.busy_timeout(options.busy).map_err(fault)?;
        if connection.is_readonly("main").map_err(fault)? {
            return Err(cannot_open(
                "the store's files are read-only for this process; give its user the right to \
                 write them",
            ));
        }
        let synchronous = match options.durability {
            Durability::PowerLoss => "FULL",
            Durability::Process => "NORMAL",
        };
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true).map_err(fault)?;
        // `fullfsync` has an effect on macOS only.
        connection
            .execute_batch(&format!(
                "PRAGMA page_size={}; PRAGMA mmap_size=0; PRAGMA trusted_schema=OFF; \
                 PRAGMA cell_size_check=ON; PRAGMA fullfsync=ON; PRAGMA checkpoint_fullfsync=ON; \
                 PRAGMA synchronous={synchronous}; PRAGMA temp_store=MEMORY; \
                 PRAGMA journal_size_limit={LOG_LIMIT}",
                options.page_size,
            ))
            .map_err(fault)?;
        let mode: String =
            connection.query_row("PRAGMA journal_mode=WAL", [], |row| row.get(0)).map_err(fault)?;
        if mode != "wal" {
            return Err(cannot_open(
                "this file system has no shared memory for the store; use a local disk",
            ));
        }
        if !writes {
            connection.execute_batch("PRAGMA query_only=ON").map_err(fault)?;
        }
        let page_size: u32 =
            connection.query_row("PRAGMA page_size", [], |row| row.get(0)).map_err(fault)?;
        let log = (writes && options.durability == Durability::PowerLoss)
            .then(|| LogFile::new(path.with_extension("db-wal"), page_size.into()));
        Ok(Self { connection, directory, log, busy: options.busy })
    }

    /// Whether nothing was ever written.
    pub(super) fn is_blank(&self) -> Result<bool> {
        let tables: i64 = self.number("SELECT count(*) FROM sqlite_schema")?;
        Ok(tables == 0 && self.number("PRAGMA application_id")? == 0)
    }

    /// Makes the tables, in the transaction of the caller.
    pub(super) fn create(&mut self, head: &[u8], check: &[u8; MAC_LEN]) -> Result<()> {
        for statement in SCHEMA {
            self.run(statement)?;
        }
        self.run(&format!("PRAGMA application_id={APPLICATION_ID}"))?;
        self.run(&format!("PRAGMA user_version={FORMAT}"))?;
        let sql = "INSERT INTO head(id, value, key_check) VALUES(1, ?1, ?2)";
        self.connection.execute(sql, (head, &check[..])).map_err(|error| self.failure(&error))?;
        Ok(())
    }

    /// Checks that the file is a store of this format.
    pub(super) fn check_format(&self) -> Result<()> {
        if self.number("PRAGMA application_id")? != i64::from(APPLICATION_ID) {
            return Err(cannot_open(
                "the directory holds a database that is not a store; choose another directory",
            ));
        }
        let version = self.number("PRAGMA user_version")?;
        if version != i64::from(FORMAT) {
            return Err(cannot_open(format!(
                "the store has format {version}, and this version of the module reads format \
                 {FORMAT}; use the version that made it",
            )));
        }
        let sql = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid";
        let mut statement = self.connection.prepare(sql).map_err(|error| self.failure(&error))?;
        let found = statement.query_map([], |row| row.get(0)).map_err(|e| self.failure(&e))?;
        let mut found: Vec<String> =
            found.collect::<std::result::Result<_, _>>().map_err(|e| self.failure(&e))?;
        found.sort_unstable();
        let mut expected = SCHEMA;
        expected.sort_unstable();
        if found == expected { Ok(()) } else { Err(corrupt("its tables were changed")) }
    }

    fn number(&self, sql: &str) -> Result<i64> {
        self.connection.query_row(sql, [], |row| row.get(0)).map_err(|error| self.failure(&error))
    }

    /// Runs a statement that is used once.
    fn run(&self, sql: &str) -> Result<()> {
        self.connection.execute_batch(sql).map_err(|error| self.failure(&error))
    }

    /// A statement, which stays prepared for the next call.
    fn statement(&self, sql: &str) -> Result<CachedStatement<'_>> {
        self.connection.prepare_cached(sql).map_err(|error| self.failure(&error))
    }

    /// Runs a statement, and returns the number of rows that it changed.
    fn execute(&self, sql: &str, parameters: impl Params) -> Result<usize> {
        self.statement(sql)?.execute(parameters).map_err(|error| self.failure(&error))
    }

    /// Reads an entry from the columns of a row.
    fn entry_of(&self, row: &rusqlite::Row<'_>) -> Result<(Position, Entry)> {
        let columns = || -> rusqlite::Result<_> {
            let (position, entry) = (row.get_ref(0)?.as_i64()?, row.get_ref(1)?.as_blob()?);
            Ok((position, Entry::of_bytes(entry)))
        };
        let (position, entry) = columns().map_err(|error| self.failure(&error))?;
        let position = Position::from_i64(position).ok_or_else(|| corrupt("a row has no place"))?;
        Ok((position, entry.ok_or_else(|| corrupt("a row has another form"))?))
    }

    fn failure(&self, error: &rusqlite::Error) -> Error {
        failure(error, &self.directory)
    }
}

impl Engine for Database {
    fn begin(&mut self) -> Result<bool> {
        let wait = |time| self.connection.busy_timeout(time).map_err(|error| self.failure(&error));
        wait(Duration::ZERO)?;
        let begun = self.execute("BEGIN IMMEDIATE", ());
        wait(self.busy)?;
        match begun {
            Ok(_) => Ok(true),
            Err(error) if error.code == Code::StoreBusy => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn begin_reading(&mut self) -> Result<()> {
        self.execute("BEGIN", ()).map(drop)
    }

    fn commit(&mut self) -> Result<()> {
        if let Some(log) = &mut self.log {
            log.extend();
        }
        let result = self.execute("COMMIT", ());
        if result.is_err() {
            self.rollback();
        }
        result.map(drop)
    }

    fn rollback(&mut self) {
        if !self.connection.is_autocommit() {
            // A failure leaves the transaction open, and the next one fails.
            let _ = self.execute("ROLLBACK", ());
        }
    }

    fn change_counter(&mut self) -> Result<i64> {
        self.number("PRAGMA data_version")
    }

    fn head(&mut self) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
        let mut statement = self.statement("SELECT value, key_check FROM head WHERE id = 1")?;
        let found = statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?))).optional();
        found.map_err(|error| self.failure(&error))
    }

    fn set_head(&mut self, head: &[u8]) -> Result<()> {
        match self.execute("UPDATE head SET value = ?1 WHERE id = 1", (head,))? {
            1 => Ok(()),
            _ => Err(corrupt("the head of its log is missing")),
        }
    }

    fn entries(&mut self, after: Position, limit: usize, visit: VisitEntry<'_>) -> Result<()> {
        let fault = |error| self.failure(&error);
        let sql = "SELECT position, entry FROM entries WHERE position > ?1 ORDER BY position \
                   LIMIT ?2";
        let mut statement = self.statement(sql)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut rows = statement.query((after.to_i64(), limit)).map_err(fault)?;
        while let Some(row) = rows.next().map_err(fault)? {
            let (position, entry) = self.entry_of(row)?;
            visit(position, &entry)?;
        }
        Ok(())
    }

    fn append(&mut self, first: Position, entries: &[Entry]) -> Result<()> {
        let mut statement = self.statement("INSERT INTO entries VALUES(?1, ?2)")?;
        for (position, entry) in (first.to_i64()..).zip(entries) {
            let done = statement.execute((position, &entry.to_bytes()[..]));
            done.map_err(|error| self.failure(&error))?;
        }
        Ok(())
    }

    fn remove(&mut self, positions: &[Position], removed: VisitEntry<'_>) -> Result<()> {
        let fault = |error| self.failure(&error);
        let sql = "DELETE FROM entries WHERE position = ?1 RETURNING position, entry";
        let mut statement = self.statement(sql)?;
        for position in positions {
            let mut rows = statement.query((position.to_i64(),)).map_err(fault)?;
            while let Some(row) = rows.next().map_err(fault)? {
                removed(*position, &self.entry_of(row)?.1)?;
            }
        }
        Ok(())
    }

    fn records(&mut self, after: Position, limit: usize, visit: VisitRecord<'_>) -> Result<()> {
        let fault = |error| self.failure(&error);
        let sql = "SELECT name, position, value FROM records INDEXED BY records_by_position \
                   WHERE position > ?1 ORDER BY position LIMIT ?2";
        let mut statement = self.statement(sql)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut rows = statement.query((after.to_i64(), limit)).map_err(fault)?;
        while let Some(row) = rows.next().map_err(fault)? {
            let bytes = |column| row.get_ref(column)?.as_blob().map_err(rusqlite::Error::from);
            let (name, sealed) = (bytes(0).map_err(fault)?, bytes(2).map_err(fault)?);
            let position = Position::from_i64(row.get(1).map_err(fault)?);
            visit(name, position.ok_or_else(|| corrupt("a row has no place"))?, sealed)?;
        }
        Ok(())
    }

    fn record(&mut self, name: &[u8]) -> Result<Option<(Position, Vec<u8>)>> {
        let mut statement =
            self.statement("SELECT position, value FROM records WHERE name = ?1")?;
        let found = statement.query_row((name,), |row| Ok((row.get(0)?, row.get(1)?))).optional();
        let Some((position, sealed)) = found.map_err(|error| self.failure(&error))? else {
            return Ok(None);
        };
        let position = Position::from_i64(position);
        Ok(Some((position.ok_or_else(|| corrupt("a row has no place"))?, sealed)))
    }

    fn put_record(&mut self, name: &[u8], position: Position, sealed: &[u8]) -> Result<()> {
        let sql = "REPLACE INTO records(name, position, value) VALUES(?1, ?2, ?3)";
        self.execute(sql, (name, position.to_i64(), sealed)).map(drop)
    }

    fn remove_record(&mut self, name: &[u8]) -> Result<()> {
        self.execute("DELETE FROM records WHERE name = ?1", (name,)).map(drop)
    }

    fn copy_to(&mut self, path: &Path) -> Result<()> {
        let text = path.to_str().ok_or_else(|| {
            Error::new(Code::InvalidArgValue, "the path of a backup must be valid Unicode")
        })?;
        self.execute("VACUUM INTO ?1", (text,))?;
        let synced = fs::File::options().write(true).open(path).and_then(|file| file.sync_all());
        synced.map_err(|error| system("write the backup", &error))
    }
}

/// The coded error for one of SQLite.
fn failure(error: &rusqlite::Error, directory: &Path) -> Error {
    use rusqlite::Error::{SqlInputError, SqliteFailure};
    let (SqliteFailure(found, _) | SqlInputError { error: found, .. }) = error else {
        // A column of another type than this module writes.
        return corrupt("a row has another form");
    };
    match found.code {
        ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::FileLockingProtocolFailed => busy(),
        ErrorCode::DiskFull => full(),
        ErrorCode::SystemIoFailure | ErrorCode::CannotOpen if !has_room(directory) => full(),
        ErrorCode::ReadOnly | ErrorCode::SystemIoFailure | ErrorCode::CannotOpen
            if is_read_only(directory) =>
        {
            read_only()
        }
        ErrorCode::OutOfMemory => cannot_open("there is no memory for the store; try again"),
        ErrorCode::ReadOnly
        | ErrorCode::PermissionDenied
        | ErrorCode::AuthorizationForStatementDenied
        | ErrorCode::CannotOpen => cannot_open(format!(
            "the system does not let the store be opened or written (SQLite {}); give this \
             process's user the right to read and write its directory and files",
            found.extended_code,
        )),
        ErrorCode::SystemIoFailure => failing_disk(found.extended_code),
        ErrorCode::DatabaseCorrupt if is_failing(directory) => failing_disk(found.extended_code),
        _ => corrupt(&format!("SQLite reports error {}", found.extended_code)),
    }
}

fn failing_disk(code: i32) -> Error {
    cannot_open(format!(
        "the system cannot read or write the store (SQLite {code}); check the disk",
    ))
}
