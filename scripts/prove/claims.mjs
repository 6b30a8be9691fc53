// The claims: at each moment, for each reader and backend, whether the reader finds any part of a
// secret. `true` means found, `false` means not found, in the order memfd_secret, mlock, dontdump,
// plain. Both are claims: the harness must find an unprotected secret, or else it could not find
// any.

import { AUDIT_KEY, CALLS, FINGERPRINT_KEYS } from './secrets.mjs';

export const BACKENDS = ['memfd_secret', 'mlock', 'dontdump', 'plain'];

const DISPOSED = 'after `dispose()`';
const NOWHERE = [false, false, false, false];
const ONLY_PLAIN = [false, false, false, true];
const ALL_BUT_BEST = [false, true, true, true];
const EVERYWHERE = [true, true, true, true];

/**
 * The claims by moment and reader. Each holds for all secrets that are kept. One with a `group`
 * holds for the secrets of that group instead: a small array that a call has taken, and which is
 * wiped, or keys with claims of their own.
 */
export const CLAIMS = [
  claim('kept', 'kernel core dump', ONLY_PLAIN),
  claim('kept', 'gcore', ONLY_PLAIN),
  claim('kept', 'gcore, `set dump-excluded-mappings on`', ALL_BUT_BEST),
  claim('kept', '/proc/PID/mem', ALL_BUT_BEST),
  claim('kept', 'process_vm_readv', ALL_BUT_BEST),
  claim('kept', 'V8 heap snapshot', NOWHERE),
  claim('kept', 'diagnostic report', NOWHERE),
  claim('kept', '/proc/PID/environ', NOWHERE),
  claim('kept', 'the files of a store', NOWHERE),
  claim('kept', 'forked child, reading all it has', ONLY_PLAIN),
  claim('kept', 'core dump of a forked child that touched a secret', ONLY_PLAIN),

  ...Object.keys(CALLS).map((call) => ({
    ...claim('kept', '/proc/PID/mem', NOWHERE),
    group: call,
    title: `small array wiped after ${call}`,
  })),

  // Each look at a list uses them, so they are on the ordinary heap.
  ofGroup(FINGERPRINT_KEYS, 'while its store is open', claim('kept', '/proc/PID/mem', EVERYWHERE)),
  ofGroup(FINGERPRINT_KEYS, 'after `close()`', claim(DISPOSED, '/proc/PID/mem', NOWHERE)),
  // The process keeps it to its end.
  ofGroup(AUDIT_KEY, 'set', claim('kept', 'kernel core dump', ONLY_PLAIN)),
  ofGroup(AUDIT_KEY, 'set', claim('kept', '/proc/PID/mem', ALL_BUT_BEST)),
  ofGroup(AUDIT_KEY, 'set', claim('kept', 'V8 heap snapshot', NOWHERE)),

  claim('during `use()`', 'kernel core dump', EVERYWHERE),
  claim('during `use()`', '/proc/PID/mem', EVERYWHERE),
  claim('after `use()`', 'kernel core dump', ONLY_PLAIN),
  claim('after `use()`', '/proc/PID/mem', ALL_BUT_BEST),

  claim(DISPOSED, 'kernel core dump', NOWHERE),
  claim(DISPOSED, 'gcore, `set dump-excluded-mappings on`', NOWHERE),
  claim(DISPOSED, '/proc/PID/mem', NOWHERE),
  claim(DISPOSED, 'process_vm_readv', NOWHERE),
  claim(DISPOSED, 'V8 heap snapshot', NOWHERE),
  claim(DISPOSED, 'diagnostic report', NOWHERE),
  claim(DISPOSED, '/proc/PID/environ', NOWHERE),
  claim(DISPOSED, 'forked child, reading all it has', NOWHERE),
];

/** The moments in order, with the command that brings a planted process to each. */
export const MOMENTS = [
  { moment: 'kept' },
  { moment: 'during `use()`', command: 'lend' },
  { moment: 'after `use()`', command: 'return' },
  { moment: DISPOSED, command: 'dispose' },
];

function ofGroup(group, state, each) {
  return { ...each, group, title: `${group}, ${state}` };
}

function claim(moment, reader, expected) {
  const byBackend = BACKENDS.map((backend, index) => [backend, expected[index]]);
  return { moment, reader, expected: Object.fromEntries(byBackend) };
}
