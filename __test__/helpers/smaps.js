'use strict';

// Reads the kernel's data about this process's memory (proc_pid_smaps(5), proc_pid_status(5)).

const { readFileSync } = require('node:fs');

/** `VmLck`: locked memory in KiB. */
function lockedKib() {
  return Number(readFileSync('/proc/self/status', 'latin1').match(/^VmLck:\s+(\d+) kB/m)[1]);
}

/** All mappings by ascending address; `flags` are those of `VmFlags`. */
function mappings() {
  const areas = readFileSync('/proc/self/smaps', 'latin1').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
  return areas.map((area) => {
    const [, start, end, access, name] = area.match(
      /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \d+ *(.*)/,
    );
    const flags = area.match(/^VmFlags: (.*)/m)[1].trim().split(' ');
    const size = Number(BigInt(`0x${end}`) - BigInt(`0x${start}`));
    return { start, end, access, name, flags, size };
  });
}

module.exports = { lockedKib, mappings };
