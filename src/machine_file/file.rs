//! The file: made, checked and mapped.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf, absolute};
use std::time::Duration;

use super::fault::Subject;
use crate::error::{Error, Result};
use crate::id::uuid_v4;
use crate::os::{DirectoryFault, FileId, Native, Platform, SharedWords, Storage, lock_within};

/// How long an opener waits for one that makes the file anew.
const LOCK_WAIT: Duration = Duration::from_secs(5);

/// The words of a kind of file that do not change.
pub trait Fixed: Sized {
    /// The words of errors.
    const SUBJECT: Subject;
    /// The number of words from which the fixed ones are read.
    const LEN: usize;

    /// The fixed words, if they are those of a file of this kind and version.
    fn decode(words: &[u64]) -> Option<Self>;

    /// The length of the file in bytes; `None` if the words contradict each other about it.
    fn file_len(&self) -> Option<u64>;

    /// The start of the machine at which the file was made.
    fn boot(&self) -> &str;
}

/// A file that can be used, and is of this start of the machine.
pub struct Opened<F> {
    /// Open for reading and writing.
    pub file: File,
    /// Its fixed words.
    pub fixed: F,
    /// Tells it from other files.
    pub id: FileId,
}

/// The thing at a path.
pub enum Found<F> {
    /// A file that can be used.
    File(Opened<F>),
    /// A file from before the machine started, open and locked until it is dropped.
    Stale(Opened<F>),
    /// There is none.
    Nothing,
}

/// This start of the machine.
pub fn boot(subject: Subject) -> Result<String> {
    Native::boot_id().ok_or_else(|| {
        subject.unusable(format!(
            "this system does not say when it started, which a {} of the machine has to know: use \
             {}",
            subject.name, subject.elsewhere
        ))
    })
}

/// Refuses systems without a clock that all processes share.
pub fn check_clock(subject: Subject) -> Result<()> {
    if Native::boot_nanos().is_some() {
        return Ok(());
    }
    Err(subject.unusable(format!(
        "this system has no clock that all processes share: use {}",
        subject.elsewhere
    )))
}

/// The path from the root.
pub fn resolve(path: &Path, subject: Subject) -> Result<PathBuf> {
    let action = format!("use the path of the {}", subject.name);
    absolute(path).map_err(|error| subject.system(&action, &error))
}

/// Refuses a path whose file other machines may use.
pub fn check_filesystem(path: &Path, subject: Subject) -> Result<()> {
    let folder = path.parent().unwrap_or(path);
    match Native::shared_filesystem(folder) {
        Ok(None) => Ok(()),
        Ok(Some(name)) => Err(subject.unusable(format!(
            "the path is on {name}, where other machines do not see this one's changes at once: \
             use a local disk or memory, such as /run or /dev/shm"
        ))),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(subject.unusable(format!(
            "the folder of the {}'s file does not exist: make it",
            subject.name
        ))),
        Err(error) => Err(failed(subject, "look at the folder", &error)),
    }
}

/// Looks for the file at a path.
pub fn find<F: Fixed>(path: &Path) -> Result<Found<F>> {
    let subject = F::SUBJECT;
    loop {
        let file = match Native::private_file().read(true).write(true).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Nothing),
            Err(error) => return Err(cannot_open(path, subject, &error)),
        };
        let fixed: F = check(&file)?;
        let id =
            Native::id_of(&file).map_err(|error| failed(subject, "look at the file", &error))?;
        if Native::is_same_boot(fixed.boot(), &boot(subject)?) {
            return Ok(Found::File(Opened { file, fixed, id }));
        }
        match lock_within(&file, LOCK_WAIT) {
            Ok(true) => {}
            Ok(false) => return Err(subject.busy()),
            Err(error) => return Err(failed(subject, "lock the file", &error)),
        }
        // Another process may have put a new file in its place while this one waited.
        if Native::file_id(path).is_ok_and(|present| present == id) {
            return Ok(Found::Stale(Opened { file, fixed, id }));
        }
    }
}

/// Why a path cannot be opened.
fn cannot_open(path: &Path, subject: Subject, error: &io::Error) -> Error {
    match fs::symlink_metadata(path) {
        Ok(metadata) if !metadata.is_file() => not_a_file(subject),
        _ => failed(subject, "read and write the file", error),
    }
}

fn not_a_file(subject: Subject) -> Error {
    subject.unusable(format!(
        "the path of the {} is a link, a folder or no regular file: name the file itself, or a \
         path at which there is nothing",
        subject.name
    ))
}

/// Checks an open file, and returns its fixed words.
fn check<F: Fixed>(mut file: &File) -> Result<F> {
    let subject = F::SUBJECT;
    let read = |error: io::Error| failed(subject, "read the file", &error);
    let metadata = file.metadata().map_err(read)?;
    if !metadata.is_file() {
        return Err(not_a_file(subject));
    }
    match Native::directory_fault(&metadata) {
        Some(DirectoryFault::NotOurs) => {
            return Err(subject.unusable(format!(
                "the file of the {} belongs to another user: run as that user, or choose another \
                 path",
                subject.name
            )));
        }
        Some(DirectoryFault::Accessible) => {
            return Err(subject.unusable(format!(
                "the group or others may use the file of the {}: chmod 600 it, if only your \
                 processes have used it, or choose another path",
                subject.name
            )));
        }
        None => {}
    }
    let mut bytes = vec![0; F::LEN * 8];
    file.rewind().and_then(|()| file.read_exact(&mut bytes)).map_err(|error| {
        let is_short = error.kind() == ErrorKind::UnexpectedEof;
        if is_short { subject.damaged("is too short") } else { read(error) }
    })?;
    let (words, _) = bytes.as_chunks();
    let words: Vec<u64> = words.iter().map(|word| u64::from_ne_bytes(*word)).collect();
    let fixed = F::decode(&words).ok_or_else(|| {
        subject.damaged("is not of this version of the package, or of another kind")
    })?;
    if fixed.file_len() != Some(metadata.len()) {
        return Err(subject.damaged("was cut or extended"));
    }
    Ok(fixed)
}

/// Makes a file of `len` bytes that begins with these words, at a path at which there is nothing;
/// one that another process makes meanwhile stays. With `replaces` it takes the place of a file.
pub fn create(
    path: &Path,
    words: &[u64],
    len: u64,
    replaces: bool,
    subject: Subject,
) -> Result<()> {
    let made = Temporary::create(path, words, len, subject)?;
    let placed = if replaces {
        fs::rename(&made.0, path)
    } else {
        match fs::hard_link(&made.0, path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            linked => linked,
        }
    };
    placed.map_err(|error| failed(subject, "put in its place the file", &error))
}

/// A complete file under another name, which goes away.
struct Temporary(PathBuf);

impl Temporary {
    fn create(path: &Path, words: &[u64], len: u64, subject: Subject) -> Result<Self> {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}", uuid_v4()?));
        let this = Self(path.with_file_name(name));
        let make = |error: io::Error| failed(subject, "make the file", &error);
        let file = Native::private_file().read(true).write(true).create_new(true).open(&this.0);
        let mut file = file.map_err(make)?;
        Native::allocate(&file, len).map_err(make)?;
        file.rewind().and_then(|()| file.write_all(&bytes)).map_err(make)?;
        Ok(this)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // After a rename there is none.
        let _ = fs::remove_file(&self.0);
    }
}

/// Maps a file.
pub fn map<F: Fixed>(opened: &Opened<F>) -> Result<SharedWords> {
    let len = opened.fixed.file_len().and_then(|len| usize::try_from(len).ok());
    SharedWords::map(&opened.file, len.unwrap_or(usize::MAX))
        .map_err(|error| failed(F::SUBJECT, "map the file", &error))
}

/// The error for a call on the file that failed; `action` ends with its object.
fn failed(subject: Subject, action: &str, error: &io::Error) -> Error {
    subject.system(&format!("{action} of the {}", subject.name), error)
}
