//! Several processes with one store. Each test runs itself again as child processes.

use std::collections::HashSet;
use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use super::*;
use crate::store::database::Database;
use crate::store::engine::Engine;
use crate::testing::random::Random;

const CASE: &str = "NODESEC_TEST_STORE_CASE";
const FOLDER: &str = "NODESEC_TEST_STORE";
const FIRST: &str = "NODESEC_TEST_STORE_FIRST";

/// A command that runs a test of this file again, in which [`child_folder`] gives a folder. The
/// words before it start it in another namespace.
pub(super) fn command(test: &str, folder: &Path, before: &[&str]) -> Command {
    let program = env::current_exe().unwrap();
    let (first, rest) =
        before.split_first().map_or((None, before), |(one, rest)| (Some(one), rest));
    let mut command = Command::new(first.map_or(program.as_os_str(), |first| first.as_ref()));
    command.args(rest);
    if first.is_some() {
        command.arg(program);
    }
    let (_, room) = module_path!().rsplit_once("::").unwrap();
    let module = if test.contains("::") { String::new() } else { format!("{room}::") };
    let name = format!("store::tests::{module}{test}");
    command
        .args(["--exact", &name, "--nocapture", "--test-threads=1"])
        .env(CASE, test)
        .env(FOLDER, folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    command
}

/// The folder of a child of this test; `None` in the test itself.
pub(super) fn child_folder(test: &str) -> Option<PathBuf> {
    env::var_os(CASE).is_some_and(|case| case == test).then(|| env::var_os(FOLDER).unwrap().into())
}

/// The standard output of a child.
fn output(child: &mut Child) -> BufReader<ChildStdout> {
    BufReader::new(child.stdout.take().unwrap())
}

/// Reads the next value that a child reports as committed; `None` at the end.
fn acknowledged(output: &mut BufReader<ChildStdout>) -> Option<u64> {
    let mut line = String::new();
    while output.read_line(&mut line).unwrap() > 0 {
        // A line that a signal has cut is no report.
        if let Some(value) = line.strip_prefix("done ").and_then(|rest| rest.strip_suffix('\n')) {
            return Some(value.parse().unwrap());
        }
        line.clear();
    }
    None
}

fn report(value: u64) {
    // The harness leaves a line open.
    writeln!(std::io::stdout(), "\ndone {value}").unwrap();
}

/// Commits values and reports each.
fn commit_and_report(store: &Store, values: impl Iterator<Item = u64>) {
    for value in values {
        commit(store, [value]).unwrap();
        report(value);
    }
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

#[test]
fn a_commit_that_was_reported_survives_kill_9_for_every_process() {
    const TEST: &str = "a_commit_that_was_reported_survives_kill_9_for_every_process";
    if let Some(path) = child_folder(TEST) {
        let first: u64 = env::var(FIRST).unwrap().parse().unwrap();
        let store = open(&path).unwrap();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let store = &store;
                scope.spawn(move || {
                    commit_and_report(store, (first + thread * 100_000..).take(100_000));
                });
            }
        });
        return;
    }
    let folder = Folder::new();
    let path = folder.path("store");
    let store = open(&path).unwrap();
    let mut follower = store.follower();
    let (mut reported, mut seen) = (HashSet::new(), HashSet::new());
    let mut random = Random(7);
    for round in 0..50_u64 {
        let mut child =
            command(TEST, &path, &[]).env(FIRST, (round * 1_000_000).to_string()).spawn().unwrap();
        let mut output = output(&mut child);
        for _ in 0..=random.below(200) {
            reported.insert(acknowledged(&mut output).unwrap());
        }
        child.kill().unwrap();
        child.wait().unwrap();
        while let Some(value) = acknowledged(&mut output) {
            reported.insert(value);
        }
        let epoch = store.epoch();
        while follower.sequence() < epoch {
            let visit = &mut |_: Position, entry: &Entry| seen.extend([entry.value]);
            store.entries_after(&mut follower, 2000, visit).unwrap();
        }
        assert!(reported.is_subset(&seen), "round {round}");
    }
    store.close();
    let found: HashSet<_> = values_in(&path).into_iter().collect();
    assert!(reported.is_subset(&found));
    assert!(reported.len() > 1000, "{}", reported.len());
}

#[test]
fn a_process_that_reads_its_own_files_keeps_its_locks() {
    const TEST: &str = "a_process_that_reads_its_own_files_keeps_its_locks";
    if let Some(path) = child_folder(TEST) {
        let first: u64 = env::var(FIRST).unwrap().parse().unwrap();
        let store = open(&path).unwrap();
        commit_and_report(&store, first..=first);
        // The last process that closes a store deletes its log.
        store.close();
        return;
    }
    let folder = Folder::new();
    let path = folder.path("store");
    let store = open(&path).unwrap();
    let mut follower = store.follower();
    let mut expected = Vec::new();
    for value in (0..30).step_by(2) {
        commit(&store, [value]).unwrap();
        for file in fs::read_dir(&path).unwrap() {
            fs::read(file.unwrap().path()).unwrap();
        }
        let child = command(TEST, &path, &[]).env(FIRST, (value + 1).to_string()).output();
        assert!(child.unwrap().status.success());
        expected.extend([value, value + 1]);
    }
    let mut seen = Vec::new();
    store.entries_after(&mut follower, 100, &mut |_, entry| seen.push(entry.value)).unwrap();
    assert_eq!(seen, expected);
    commit(&store, [30]).unwrap();
    expected.push(30);
    store.close();
    assert!(!path.join("store.db-wal").exists(), "the last process deletes the log");
    assert_eq!(values_in(&path), expected);
}

#[test]
fn processes_write_at_once_even_if_both_have_pid_1() {
    const TEST: &str = "processes_write_at_once_even_if_both_have_pid_1";
    const EACH: u64 = 300;
    if let Some(path) = child_folder(TEST) {
        let first: u64 = env::var(FIRST).unwrap().parse().unwrap();
        commit_and_report(&open(&path).unwrap(), first..first + EACH);
        return;
    }
    let folder = Folder::new();
    let path = folder.path("store");
    let namespace = &["unshare", "--user", "--map-root-user", "--pid", "--fork"][..];
    let children: Vec<_> = [&[][..], namespace, namespace]
        .iter()
        .zip(0..)
        .map(|(before, number)| {
            let mut command = command(TEST, &path, before);
            command.env(FIRST, (EACH * number).to_string()).spawn().unwrap()
        })
        .collect();
    for mut child in children {
        let mut output = output(&mut child);
        assert_eq!(std::iter::from_fn(|| acknowledged(&mut output)).count() as u64, EACH);
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(values_in(&path), (0..3 * EACH).collect::<Vec<_>>());
}

#[test]
fn a_process_stopped_in_mid_transaction_makes_others_fail_busy_until_it_goes_on() {
    const TEST: &str =
        "a_process_stopped_in_mid_transaction_makes_others_fail_busy_until_it_goes_on";
    if let Some(path) = child_folder(TEST) {
        let mut engine = Database::open(&path.join("store.db"), &options(), true).unwrap();
        assert!(engine.begin().unwrap());
        report(0);
        std::io::stdin().read_exact(&mut [0]).unwrap();
        engine.rollback();
        return;
    }
    let folder = Folder::new();
    let path = folder.path("store");
    let options = StoreOptions { busy: Duration::from_millis(300), ..options() };
    let store = open_with(&path, options).unwrap();
    commit(&store, [1]).unwrap();
    let mut child = command(TEST, &path, &[]).spawn().unwrap();
    let mut output = output(&mut child);
    acknowledged(&mut output).unwrap();
    signal(&child, "-STOP");
    let (tell, told) = std::sync::mpsc::channel();
    for value in 0..20 {
        let tell = tell.clone();
        store.commit(batch([value]), Box::new(move |result| tell.send(result).unwrap())).unwrap();
    }
    store.delete_expired(9, Box::new(move |result| tell.send(result).unwrap())).unwrap();
    for _ in 0..21 {
        let result = told.recv_timeout(WAIT).unwrap();
        assert_eq!(result.unwrap_err().code, Code::StoreBusy);
    }
    assert_eq!(store.failing(), None, "its rows can still be read");
    assert_eq!(store.stats().unwrap().entries, 1);
    signal(&child, "-CONT");
    child.stdin.take().unwrap().write_all(b"1").unwrap();
    assert!(child.wait().unwrap().success());
    commit(&store, [2]).unwrap();
    store.close();
    assert_eq!(values_in(&path), [1, 2]);
}

#[test]
fn a_full_disk_is_reported_and_what_was_committed_before_and_afterwards_is_kept() {
    const TEST: &str =
        "a_full_disk_is_reported_and_what_was_committed_before_and_afterwards_is_kept";
    if let Some(folder) = child_folder(TEST) {
        let (path, filler) = (folder.join("store"), folder.join("filler"));
        fs::write(&filler, vec![1; 512 << 10]).unwrap();
        let store = open(&path).unwrap();
        let mut values = Vec::new();
        let refused = loop {
            let next = values.len() as u64;
            match commit(&store, next..next + 100) {
                Ok(_) => values.extend(next..next + 100),
                Err(error) => break error,
            }
        };
        assert_eq!(refused.code, Code::StoreFull, "{refused}");
        assert_eq!(store.failing(), None, "its rows can still be read");
        assert!(values.len() > 1000);
        let mut follower = store.follower();
        let mut seen = Vec::new();
        while !store
            .entries_after(&mut follower, 2000, &mut |_, entry| seen.push(entry.value))
            .unwrap()
        {}
        assert_eq!(seen, values);
        let new = open(&folder.join("new")).err().unwrap();
        assert_eq!(new.code, Code::StoreFull, "{new}");
        let backup = store.backup(&folder.join("backup")).unwrap_err();
        assert_eq!(backup.code, Code::StoreFull, "{backup}");
        assert!(!folder.join("backup").exists());
        fs::remove_file(filler).unwrap();
        let next = values.len() as u64;
        commit(&store, next..next + 100).unwrap();
        values.extend(next..next + 100);
        store.close();
        assert_eq!(values_in(&path), values);
        open(&folder.join("new")).unwrap();
        return;
    }
    let folder = Folder::new();
    let script = "mount -t tmpfs -o size=1m tmpfs \"$0\" && exec \"$@\"";
    let mount = folder.folder().to_str().unwrap();
    let before = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, mount];
    assert!(command(TEST, folder.folder(), &before).status().unwrap().success());
}
