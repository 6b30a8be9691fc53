// Finds the core dumps that the kernel writes (core(5)).

import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

/** The reason why this machine cannot make core dumps; undefined if it can. */
export function coreProblem() {
  const pattern = corePattern();
  if (pattern.startsWith('|')) {
    return `core dumps go to a program (kernel.core_pattern is "${pattern}"): set it to "core"`;
  }
  // `takeCore` supports %p and the like in the name of the file, but not in the folder.
  if (path.dirname(pattern).includes('%')) return `kernel.core_pattern is "${pattern}"`;
  const { stdout } = spawnSync('bash', ['-c', 'ulimit -Hc'], { encoding: 'utf8' });
  if (stdout.trim() === '0') return 'core dumps are forbidden (ulimit -Hc is 0)';
  return undefined;
}

/** The path of the one core dump that a planted process or its child has just made. */
export function takeCore(specimen) {
  const folder = path.resolve(specimen.folder, path.dirname(corePattern()));
  const name = path.basename(corePattern());
  const form = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/%./g, '.*');
  const isCore = new RegExp(`^${form}(\\.\\d+)?$`);
  const cores = readdirSync(folder).filter((file) => isCore.test(file));
  if (cores.length !== 1) throw new Error(`${cores.length} core dumps in ${folder}, not one`);
  return path.join(folder, cores[0]);
}

function corePattern() {
  return readFileSync('/proc/sys/kernel/core_pattern', 'utf8').trim();
}
