//! Reads the memory limits of Linux control groups: version 2 (`memory.max`) and version 1
//! (`memory.limit_in_bytes`), as in the kernel's `Documentation/admin-guide`.

use std::fs;
use std::path::Path;

/// The smallest limit of the groups that this process is in; `None` without one.
pub(super) fn limit() -> Option<u64> {
    let membership = fs::read_to_string("/proc/self/cgroup").ok()?;
    limit_under(Path::new("/sys/fs/cgroup"), &membership)
}

/// The smallest limit below `root`, the mount point of the groups. `membership` holds lines of the
/// form `id:controllers:/path`.
fn limit_under(root: &Path, membership: &str) -> Option<u64> {
    let limits = membership.lines().filter_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, group) = (fields.next()?, fields.next()?);
        if controllers.is_empty() {
            smallest(root, group, "memory.max")
        } else if controllers.split(',').any(|name| name == "memory") {
            smallest(&root.join("memory"), group, "memory.limit_in_bytes")
        } else {
            None
        }
    });
    limits.min()
}

/// The smallest limit of a group and of the groups that contain it. In a container, the group may
/// have its name from outside the container, under which no directory exists; the root is then the
/// container's own group.
fn smallest(root: &Path, group: &str, file: &str) -> Option<u64> {
    let group = Path::new(group.trim_start_matches('/'));
    let limits = group.ancestors().filter_map(|part| {
        let text = fs::read_to_string(root.join(part).join(file)).ok()?;
        // `max` is no number and means no limit.
        text.trim().parse::<u64>().ok()
    });
    limits.min()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A mounted hierarchy with these files, which is removed again.
    fn with_files<T>(files: &[(&str, &str)], body: impl FnOnce(&Path) -> T) -> T {
        let name = format!("nodesec-cgroup-{}", crate::id::uuid_v4().unwrap());
        let root = std::env::temp_dir().join(name);
        for (path, text) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let result = body(&root);
        fs::remove_dir_all(&root).unwrap();
        result
    }

    #[test]
    fn version_2_takes_the_smallest_on_the_way_to_the_root() {
        let files = [
            ("memory.max", "max\n"),
            ("pods/memory.max", "536870912\n"),
            ("pods/one/memory.max", "max\n"),
            ("other/memory.max", "1\n"),
        ];
        with_files(&files, |root| {
            assert_eq!(limit_under(root, "0::/pods/one\n"), Some(512 << 20));
            assert_eq!(limit_under(root, "0::/\n"), None);
        });
    }

    #[test]
    fn in_a_container_the_root_counts() {
        let files = [("memory.max", "268435456\n")];
        with_files(&files, |root| {
            assert_eq!(limit_under(root, "0::/\n"), Some(256 << 20));
            assert_eq!(limit_under(root, "0::/docker/0123\n"), Some(256 << 20));
        });
    }

    #[test]
    fn version_1_counts_its_memory_controller() {
        let files = [
            ("memory/memory.limit_in_bytes", "9223372036854771712\n"),
            ("memory/docker/1/memory.limit_in_bytes", "134217728\n"),
        ];
        let membership = "12:cpu,cpuacct:/docker/1\n4:memory:/docker/1\n0::/\n";
        with_files(&files, |root| {
            assert_eq!(limit_under(root, membership), Some(128 << 20));
            assert_eq!(limit_under(root, "12:cpu:/docker/1\nnonsense\n"), None);
        });
    }
}
