//! Tests of the file: made, refused and made anew.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::Path;
use std::thread;

use super::file::{self, Found};
use super::header::{self, Fixed, word};
use super::tests::{TestPath, composed, named, one};
use super::{MachineLimiter, MachineOptions};
use crate::error::Code;
use crate::limiter::limit::{Limits, checked};
use crate::limiter::on_full::OnFull;
use crate::limiter::quota::Algorithm;

fn options(limits: Limits) -> MachineOptions {
    MachineOptions { limits: Some(limits), max_keys: Some(100), ..MachineOptions::default() }
}

fn refused(path: &Path) -> Code {
    MachineLimiter::open(path, &options(one(5))).err().unwrap().code
}

/// Makes the file look as if an earlier start of the machine had made it.
fn age(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let words: Vec<u64> = bytes[..header::LEN * 8]
        .as_chunks()
        .0
        .iter()
        .map(|word| u64::from_ne_bytes(*word))
        .collect();
    let mut fixed = Fixed::decode(&words).unwrap();
    "another start".clone_into(&mut fixed.boot);
    // The counters and limits behind the fixed words stay.
    let words = fixed.encode(&one(5)).map(u64::to_ne_bytes);
    let end = word::CHECKSUM + 1;
    bytes[..end * 8].copy_from_slice(words[..end].as_flattened());
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_file_that_is_not_ours_alone_or_no_limiter_is_refused() {
    let path = TestPath::new();
    drop(MachineLimiter::open(&path.0, &options(one(5))).unwrap());
    let whole = fs::read(&path.0).unwrap();
    for (what, bytes) in [
        ("empty", Vec::new()),
        ("a cut header", whole[..100].to_vec()),
        ("a header alone", whole[..4096].to_vec()),
        ("cut by a word", whole[..whole.len() - 8].to_vec()),
        ("longer by a word", [&whole[..], &[0; 8]].concat()),
        ("foreign", vec![b'x'; whole.len()]),
        ("zeros", vec![0; whole.len()]),
    ] {
        fs::write(&path.0, bytes).unwrap();
        assert_eq!(refused(&path.0), Code::LimitFile, "{what}");
    }
    // Every bit of the fixed words.
    for bit in 0..(word::CHECKSUM + 1) * 64 {
        let mut changed = whole.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path.0, changed).unwrap();
        assert_eq!(refused(&path.0), Code::LimitFile, "bit {bit}");
    }
    // And of the limits.
    for bit in word::SETS[0] * 64..(word::SETS[0] + 45) * 64 {
        let mut changed = whole.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path.0, changed).unwrap();
        assert_eq!(refused(&path.0), Code::LimitFile, "bit {bit}");
    }
    fs::write(&path.0, &whole).unwrap();
    for mode in [0o640, 0o620, 0o604, 0o602, 0o610, 0o666] {
        fs::set_permissions(&path.0, fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(refused(&path.0), Code::LimitFile, "{mode:o}");
    }
    fs::set_permissions(&path.0, fs::Permissions::from_mode(0o600)).unwrap();
    MachineLimiter::open(&path.0, &options(one(5))).unwrap();
}

#[test]
fn a_link_a_folder_and_a_device_are_refused_and_left_alone() {
    let path = TestPath::new();
    let folder = path.0.parent().unwrap();
    let target = folder.join("target");
    drop(MachineLimiter::open(&target, &options(one(5))).unwrap());
    symlink(&target, &path.0).unwrap();
    assert_eq!(refused(&path.0), Code::LimitFile);
    fs::remove_file(&path.0).unwrap();
    symlink(folder.join("nothing"), &path.0).unwrap();
    assert_eq!(refused(&path.0), Code::LimitFile);
    assert!(!folder.join("nothing").exists());
    assert_eq!(refused(folder), Code::LimitFile);
    assert_eq!(refused(Path::new("/dev/null")), Code::LimitFile);
    assert_eq!(refused(&folder.join("missing/limits")), Code::LimitFile);
}

#[test]
fn a_new_file_is_private_and_nothing_stays_beside_it() {
    let path = TestPath::new();
    let folder = path.0.parent().unwrap();
    drop(MachineLimiter::open(&path.0, &options(composed())).unwrap());
    assert_eq!(fs::metadata(&path.0).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(folder).unwrap().count(), 1);
}

#[test]
fn creators_that_race_get_one_file() {
    for _ in 0..20 {
        let path = TestPath::new();
        let make = || {
            let shape = file_shape(&one(5));
            file::create(&path.0, shape, &one(5), false).unwrap();
            let Found::File(opened) = file::find(&path.0).unwrap() else { panic!("no file") };
            (opened.id, opened.fixed.key)
        };
        let files = thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(make)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        assert!(files.iter().all(|each| *each == files[0]));
        assert_eq!(fs::read_dir(path.0.parent().unwrap()).unwrap().count(), 1);
    }
}

fn file_shape(limits: &Limits) -> header::Shape {
    let (algorithm, on_full) = (Algorithm::Gcra, OnFull::Evict);
    header::Shape { max_keys: 100, limits: limits.len(), algorithm, on_full }
}

#[test]
fn a_file_from_before_the_start_of_the_machine_begins_anew_once_with_its_limits() {
    let path = TestPath::new();
    let limiter = MachineLimiter::open(&path.0, &options(one(5))).unwrap();
    limiter.check(b"key", 5).unwrap();
    limiter.set_limits(&one(6)).unwrap();
    drop(limiter);
    age(&path.0);
    // The openers that come second find the file of the first.
    let open = || {
        for _ in 0..10 {
            match file::find(&path.0).unwrap() {
                Found::File(opened) => return opened.id,
                Found::Stale(_) => {
                    file::create(&path.0, file_shape(&one(6)), &one(6), true).unwrap();
                }
                Found::Nothing => panic!("no file"),
            }
        }
        panic!("no file")
    };
    let ids = thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    age(&path.0);
    let limiter = MachineLimiter::open(&path.0, &MachineOptions::default()).unwrap();
    assert_eq!(limiter.limits().0[0].quota().limit(), 6);
    assert!(limiter.check(b"key", 6).unwrap());
}

#[test]
fn an_existing_file_takes_equal_options_or_none_and_names_the_one_that_differs() {
    let path = TestPath::new();
    let open = |options: &MachineOptions| MachineLimiter::open(&path.0, options);
    let missing = open(&MachineOptions::default()).err().unwrap();
    assert_eq!(missing.code, Code::MissingOption);
    let limiter = open(&options(composed())).unwrap();
    open(&MachineOptions::default()).unwrap();
    let with = |fast: crate::limiter::limit::Limit| {
        let (slow, day) = (named("slow", 20, 60_000, Some(8)), named("day", 100, 86_400_000, None));
        options(checked(vec![fast, slow, day]).unwrap())
    };
    let other = |change: fn(&mut MachineOptions)| {
        let mut options = options(composed());
        change(&mut options);
        options
    };
    for (name, options) in [
        ("the number of limits", options(one(5))),
        ("the name of a limit", with(named("first", 5, 1000, None))),
        ("limit ", with(named("fast", 6, 1000, Some(5)))),
        ("windowMs", with(named("fast", 5, 1001, None))),
        ("burst", with(named("fast", 5, 1000, Some(4)))),
        ("maxKeys", other(|options| options.max_keys = Some(101))),
        ("onFull", other(|options| options.on_full = Some(OnFull::Deny))),
        (
            "algorithm",
            other(|options| {
                options.limits = None;
                options.algorithm = Some(Algorithm::FixedWindow);
            }),
        ),
    ] {
        let error = open(&options).err().unwrap();
        assert_eq!(error.code, Code::InvalidArgValue, "{name}");
        assert!(error.message.starts_with(name), "{name}: {error}");
    }
    // A process that starts with its old configuration joins those that have changed the limits.
    let changed = with(named("fast", 50, 1000, None)).limits.unwrap();
    limiter.set_limits(&changed).unwrap();
    for limits in [composed(), changed] {
        assert_eq!(open(&options(limits)).unwrap().limits().0[0].quota().limit(), 50);
    }
}

#[test]
fn a_pipe_is_refused_without_waiting() {
    let path = TestPath::new();
    let made = std::process::Command::new("mkfifo").arg(&path.0).status().unwrap();
    assert!(made.success());
    let reader = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(&path.0);
    assert_eq!(refused(&path.0), Code::LimitFile);
    drop(reader);
    assert_eq!(refused(&path.0), Code::LimitFile);
}
