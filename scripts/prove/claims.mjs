// What is claimed: at which moment, read in which way, is there anything of a secret to be found.
// `true` is found and `false` is not, for memfd_secret, mlock, dontdump and plain. Both are claims: a
// secret that lies open must be found, or the harness would not know how to look for it.

export const BACKENDS = ['memfd_secret', 'mlock', 'dontdump', 'plain'];

const NOWHERE = [false, false, false, false];
const ONLY_PLAIN = [false, false, false, true];
const ALL_BUT_BEST = [false, true, true, true];
const EVERYWHERE = [true, true, true, true];

/** By moment and reader, for the secrets of a `group`, or for those without one. */
export const ROWS = [
  row('kept', 'kernel core dump', ONLY_PLAIN),
  row('kept', 'gcore', ONLY_PLAIN),
  row('kept', 'gcore, `set dump-excluded-mappings on`', ALL_BUT_BEST),
  row('kept', '/proc/PID/mem', ALL_BUT_BEST),
  row('kept', 'process_vm_readv', ALL_BUT_BEST),
  row('kept', 'V8 heap snapshot', NOWHERE),
  row('kept', 'diagnostic report', NOWHERE),
  row('kept', '/proc/PID/environ', NOWHERE),
  row('kept', 'forked child, reading all it has', ONLY_PLAIN),
  row('kept', 'core dump of a forked child that touched a secret', ONLY_PLAIN),

  row('during `use()`', 'kernel core dump', EVERYWHERE),
  row('during `use()`', '/proc/PID/mem', EVERYWHERE),
  row('after `use()`', 'kernel core dump', ONLY_PLAIN),
  row('after `use()`', '/proc/PID/mem', ALL_BUT_BEST),

  row('after `dispose()`', 'kernel core dump', NOWHERE),
  row('after `dispose()`', 'gcore, `set dump-excluded-mappings on`', NOWHERE),
  row('after `dispose()`', '/proc/PID/mem', NOWHERE),
  row('after `dispose()`', 'process_vm_readv', NOWHERE),
  row('after `dispose()`', 'V8 heap snapshot', NOWHERE),
  row('after `dispose()`', 'diagnostic report', NOWHERE),
  row('after `dispose()`', '/proc/PID/environ', NOWHERE),
  row('after `dispose()`', 'forked child, reading all it has', NOWHERE),
];

/** What brings a planted process from one moment to the next. */
export const MOMENTS = [
  { moment: 'kept' },
  { moment: 'during `use()`', command: 'lend' },
  { moment: 'after `use()`', command: 'return' },
  { moment: 'after `dispose()`', command: 'dispose' },
];

function row(moment, reader, expected, group) {
  const byBackend = BACKENDS.map((backend, index) => [backend, expected[index]]);
  return { moment, reader, group, expected: Object.fromEntries(byBackend) };
}
