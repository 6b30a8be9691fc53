//! Reads the protections of address ranges from `/proc/self/smaps` (`VmFlags` in
//! `proc_pid_smaps(5)`).

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::ops::Range;

use crate::os::protected_memory::Protection;

/// Reads this process's own smaps.
pub(super) fn read(ranges: &[Range<usize>]) -> std::io::Result<Protection> {
    scan(BufReader::with_capacity(1 << 16, File::open("/proc/self/smaps")?), ranges)
}

/// Reads the text of an smaps file. The ranges count as protected if areas with the flag cover all
/// of them, so that an area without the flag or a hole between areas is noticed.
fn scan(text: impl BufRead, ranges: &[Range<usize>]) -> std::io::Result<Protection> {
    let wanted = ranges.iter().map(Range::len).fold(0, usize::saturating_add);
    let mut area = 0..0;
    let (mut locked, mut excluded) = (0_usize, 0_usize);
    for line in text.lines() {
        let line = line?;
        if let Some(flags) = line.strip_prefix("VmFlags:") {
            let here = ranges.iter().map(|range| overlap(range, &area)).sum::<usize>();
            let has = |flag| flags.split_ascii_whitespace().any(|found| found == flag);
            locked = locked.saturating_add(if has("lo") { here } else { 0 });
            excluded = excluded.saturating_add(if has("dd") { here } else { 0 });
        } else if let Some(found) = heading(&line) {
            area = found;
        }
    }
    Ok(Protection {
        locked: wanted > 0 && locked == wanted,
        dump_excluded: wanted > 0 && excluded == wanted,
        note: None,
    })
}

/// The addresses of a line such as `7f12a0000000-7f12a000c000 rw-s 00000000 00:01 8 /path`.
fn heading(line: &str) -> Option<Range<usize>> {
    let (start, end) = line.split_ascii_whitespace().next()?.split_once('-')?;
    Some(usize::from_str_radix(start, 16).ok()?..usize::from_str_radix(end, 16).ok()?)
}

fn overlap(a: &Range<usize>, b: &Range<usize>) -> usize {
    a.end.min(b.end).saturating_sub(a.start.max(b.start))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
00001000-00003000 rw-p 00000000 00:00 0 
Size:                  8 kB
VmFlags: rd wr mr mw me lo ac dd 
00003000-00004000 rw-p 00000000 00:00 0 
VmFlags: rd wr mr mw me ac dd 
00005000-00006000 rw-s 00000000 00:01 8                          /secretmem (deleted)
VmFlags: rd wr sh mr mw me ms lo dc de dd 
";

    fn facts(ranges: &[(usize, usize)]) -> (bool, bool) {
        let ranges: Vec<_> = ranges.iter().map(|(start, end)| *start..*end).collect();
        let found = scan(TEXT.as_bytes(), &ranges).unwrap();
        (found.locked, found.dump_excluded)
    }

    #[test]
    fn a_range_needs_the_flag_all_over() {
        assert_eq!(facts(&[(0x1000, 0x3000)]), (true, true));
        assert_eq!(facts(&[(0x2000, 0x4000)]), (false, true));
        assert_eq!(facts(&[(0x1000, 0x3000), (0x5000, 0x6000)]), (true, true));
        assert_eq!(facts(&[(0x1000, 0x3000), (0x4000, 0x6000)]), (false, false));
        assert_eq!(facts(&[(0x7000, 0x8000)]), (false, false));
        assert_eq!(facts(&[]), (false, false));
    }
}
