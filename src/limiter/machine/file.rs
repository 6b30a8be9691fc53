//! The file: made, checked and mapped.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::fault::{busy, damaged, system, unusable};
use super::header::{self, Fixed, Shape};
use crate::error::Result;
use crate::id::{random_bytes, uuid_v4};
use crate::limiter::layout::Layout;
use crate::limiter::limit::Limits;
use crate::os::{DirectoryFault, FileId, Native, SharedWords, Storage, lock_within};

/// How long an opener waits for one that makes the file anew.
const LOCK_WAIT: Duration = Duration::from_secs(5);

/// A file that can be used, and is of this start of the machine.
pub(super) struct Opened {
    pub file: File,
    pub fixed: Fixed,
    pub id: FileId,
}

/// The thing at a path.
pub(super) enum Found {
    /// A file that can be used.
    File(Opened),
    /// A file from before the machine started, open and locked until it is dropped.
    Stale(Opened),
    Nothing,
}

/// The layout of a file.
pub(super) fn layout(shape: &Shape) -> Layout {
    let buckets = Layout::buckets_for(shape.max_keys, shape.limits);
    Layout { buckets, limits: shape.limits }
}

/// The length of a file, in bytes.
fn file_len(shape: &Shape) -> usize {
    (header::LEN + layout(shape).len()) * 8
}

/// This start of the machine.
fn boot() -> Result<String> {
    Native::boot_id().ok_or_else(|| {
        unusable(
            "this system does not say when it started, which a limiter of the machine has to know: \
             use RateLimiter.shared",
        )
    })
}

/// Refuses a path whose file other machines may use.
pub(super) fn check_filesystem(path: &Path) -> Result<()> {
    let folder = path.parent().unwrap_or(path);
    match Native::shared_filesystem(folder) {
        Ok(None) => Ok(()),
        Ok(Some(name)) => Err(unusable(format!(
            "the path is on {name}, where other machines do not see this one's changes at once: \
             use a local disk or memory, such as /run or /dev/shm"
        ))),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(unusable("the folder of the limiter's file does not exist: make it"))
        }
        Err(error) => Err(system("look at the folder of the limiter's file", &error)),
    }
}

/// Looks for the file at a path.
pub(super) fn find(path: &Path) -> Result<Found> {
    loop {
        let file = match Native::private_file().read(true).write(true).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Nothing),
            Err(error) => return Err(cannot_open(path, &error)),
        };
        let fixed = check(&file)?;
        let look = |error| system("look at the file of the limiter", &error);
        let id = Native::id_of(&file).map_err(look)?;
        if Native::is_same_boot(&fixed.boot, &boot()?) {
            return Ok(Found::File(Opened { file, fixed, id }));
        }
        match lock_within(&file, LOCK_WAIT) {
            Ok(true) => {}
            Ok(false) => return Err(busy()),
            Err(error) => return Err(system("lock the file of the limiter", &error)),
        }
        // Another process may have put a new file in its place while this one waited.
        if Native::file_id(path).is_ok_and(|present| present == id) {
            return Ok(Found::Stale(Opened { file, fixed, id }));
        }
    }
}

/// Why a path cannot be opened.
fn cannot_open(path: &Path, error: &io::Error) -> crate::error::Error {
    match fs::symlink_metadata(path) {
        Ok(metadata) if !metadata.is_file() => not_a_file(),
        _ => system("open the file of the limiter for reading and writing", error),
    }
}

fn not_a_file() -> crate::error::Error {
    unusable(
        "the path of the limiter is a link, a folder or no regular file: name the file itself, or \
         a path at which there is nothing",
    )
}

/// Checks an open file, and returns the fixed words of its header.
fn check(mut file: &File) -> Result<Fixed> {
    let read = |error: io::Error| system("read the file of the limiter", &error);
    let metadata = file.metadata().map_err(read)?;
    if !metadata.is_file() {
        return Err(not_a_file());
    }
    match Native::directory_fault(&metadata) {
        Some(DirectoryFault::NotOurs) => {
            return Err(unusable(
                "the file of the limiter belongs to another user: run as that user, or choose \
                 another path",
            ));
        }
        Some(DirectoryFault::Accessible) => {
            return Err(unusable(
                "the group or others may use the file of the limiter: chmod 600 it, if only your \
                 processes have used it, or choose another path",
            ));
        }
        None => {}
    }
    let mut bytes = vec![0; header::LEN * 8];
    file.rewind().and_then(|()| file.read_exact(&mut bytes)).map_err(|error| {
        if error.kind() == ErrorKind::UnexpectedEof { damaged("is too short") } else { read(error) }
    })?;
    let (words, _) = bytes.as_chunks();
    let words: Vec<u64> = words.iter().map(|word| u64::from_ne_bytes(*word)).collect();
    let Some(fixed) = Fixed::decode(&words) else {
        return Err(damaged("is not of this version of the package, or of another kind"));
    };
    if fixed.file_len != metadata.len() || fixed.file_len != file_len(&fixed.shape) as u64 {
        return Err(damaged("was cut or extended"));
    }
    Ok(fixed)
}

/// Makes a file at a path at which there is nothing; one that another process makes meanwhile
/// stays. With `replaces` it takes the place of a file.
pub(super) fn create(path: &Path, shape: Shape, limits: &Limits, replaces: bool) -> Result<()> {
    let made = Temporary::create(path, shape, limits)?;
    let placed = if replaces {
        fs::rename(&made.0, path)
    } else {
        match fs::hard_link(&made.0, path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            linked => linked,
        }
    };
    placed.map_err(|error| system("put the file of the limiter in its place", &error))
}

/// A complete file under another name, which goes away.
struct Temporary(PathBuf);

impl Temporary {
    fn create(path: &Path, shape: Shape, limits: &Limits) -> Result<Self> {
        let mut key = [0; 16];
        random_bytes(&mut key)?;
        let len = file_len(&shape) as u64;
        let words = Fixed { file_len: len, shape, key, boot: boot()? }.encode(limits);
        let bytes = words.map(u64::to_ne_bytes);
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}", uuid_v4()?));
        let this = Self(path.with_file_name(name));
        let make = |error: io::Error| system("make the file of the limiter", &error);
        let file = Native::private_file().read(true).write(true).create_new(true).open(&this.0);
        let mut file = file.map_err(make)?;
        Native::allocate(&file, len).map_err(make)?;
        file.rewind().and_then(|()| file.write_all(bytes.as_flattened())).map_err(make)?;
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
pub(super) fn map(opened: &Opened) -> Result<SharedWords> {
    let len = usize::try_from(opened.fixed.file_len).unwrap_or(usize::MAX);
    SharedWords::map(&opened.file, len)
        .map_err(|error| system("map the file of the limiter", &error))
}
