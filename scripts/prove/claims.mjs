// What is claimed: at which moment, read in which way, is there anything of a secret to be found.
// `true` is found and `false` is not, for memfd_secret, mlock, dontdump and plain. Both are claims:
// a secret that lies open must be found, or the harness would not know how to look for it.

export const BACKENDS = ['memfd_secret', 'mlock', 'dontdump', 'plain'];

const NOWHERE = [false, false, false, false];
const ONLY_PLAIN = [false, false, false, true];
const ALL_BUT_BEST = [false, true, true, true];
const EVERYWHERE = [true, true, true, true];

/** By moment and reader, for all secrets. */
export const CLAIMS = [
  claim('kept', 'kernel core dump', ONLY_PLAIN),
  claim('kept', 'gcore', ONLY_PLAIN),
  claim('kept', 'gcore, `set dump-excluded-mappings on`', ALL_BUT_BEST),
  claim('kept', '/proc/PID/mem', ALL_BUT_BEST),
  claim('kept', 'process_vm_readv', ALL_BUT_BEST),
  claim('kept', 'V8 heap snapshot', NOWHERE),
  claim('kept', 'diagnostic report', NOWHERE),
  claim('kept', '/proc/PID/environ', NOWHERE),
  claim('kept', 'forked child, reading all it has', ONLY_PLAIN),
  claim('kept', 'core dump of a forked child that touched a secret', ONLY_PLAIN),

  claim('during `use()`', 'kernel core dump', EVERYWHERE),
  claim('during `use()`', '/proc/PID/mem', EVERYWHERE),
  claim('after `use()`', 'kernel core dump', ONLY_PLAIN),
  claim('after `use()`', '/proc/PID/mem', ALL_BUT_BEST),

  claim('after `dispose()`', 'kernel core dump', NOWHERE),
  claim('after `dispose()`', 'gcore, `set dump-excluded-mappings on`', NOWHERE),
  claim('after `dispose()`', '/proc/PID/mem', NOWHERE),
  claim('after `dispose()`', 'process_vm_readv', NOWHERE),
  claim('after `dispose()`', 'V8 heap snapshot', NOWHERE),
  claim('after `dispose()`', 'diagnostic report', NOWHERE),
  claim('after `dispose()`', '/proc/PID/environ', NOWHERE),
  claim('after `dispose()`', 'forked child, reading all it has', NOWHERE),
];

/** What brings a planted process from one moment to the next. */
export const MOMENTS = [
  { moment: 'kept' },
  { moment: 'during `use()`', command: 'lend' },
  { moment: 'after `use()`', command: 'return' },
  { moment: 'after `dispose()`', command: 'dispose' },
];

function claim(moment, reader, expected) {
  const byBackend = BACKENDS.map((backend, index) => [backend, expected[index]]);
  return { moment, reader, expected: Object.fromEntries(byBackend) };
}
