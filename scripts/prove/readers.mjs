// The readers of processes, by name. `control` names the planted control that the reader can see.
// `missing` returns the reason why this machine lacks the reader, if it does.

import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';

import { coreProblem, takeCore } from './cores.mjs';

export const READERS = {
  'kernel core dump': {
    control: 'buffer',
    missing: coreProblem,
    // This ends the process. planted.mjs has asked for all mappings, not only the default ones.
    async read(specimen) {
      const signal = await specimen.tellLast('abort');
      if (signal !== 'SIGABRT') throw new Error(`aborting ended with ${signal}`);
      return scanFile(specimen, takeCore(specimen));
    },
  },
  gcore: { control: 'buffer', missing: gdbProblem, read: (specimen) => gcore(specimen, 'off') },
  'gcore, `set dump-excluded-mappings on`': {
    control: 'buffer',
    missing: gdbProblem,
    read: (specimen) => gcore(specimen, 'on'),
  },
  '/proc/PID/mem': { control: 'buffer', read: readMemory },
  process_vm_readv: {
    control: 'buffer',
    read: (specimen) => specimen.scan((scanner) => scanner.processVmReadv(specimen.pid)),
  },
  'V8 heap snapshot': { control: 'text', read: (specimen) => written(specimen, 'snapshot') },
  'diagnostic report': { control: 'variable', read: (specimen) => written(specimen, 'report') },
  '/proc/PID/environ': {
    control: 'variable',
    read: (specimen) => specimen.scan((scanner) => scanner.file(`/proc/${specimen.pid}/environ`)),
  },
  'the files of a store': {
    control: 'buffer',
    read(specimen) {
      const files = ['store', 'ring-store'].flatMap((name) => {
        const folder = specimen.file(name);
        return readdirSync(folder).map((file) => path.join(folder, file));
      });
      // A file that holds the control in the open shows that files are searched.
      return specimen.scan((scanner) => scanFiles(scanner, [specimen.file('control-buffer'), ...files]));
    },
  },
  'forked child, reading all it has': {
    control: 'buffer',
    read: (specimen) => written(specimen, 'fork-and-dump'),
  },
  'core dump of a forked child that touched a secret': {
    control: 'buffer',
    missing: coreProblem,
    async read(specimen) {
      const { address, isInherited } = someSecret(specimen);
      const signal = Number(await specimen.tell(`fork-and-touch ${address}`));
      const expected = isInherited ? 6 : 11;
      if (signal !== expected) throw new Error(`the forked child ended with signal ${signal}`);
      return scanFile(specimen, takeCore(specimen));
    },
  },
};

function readMemory(specimen) {
  return specimen.scan((scanner) => scanner.procMem(specimen.pid));
}

function gdbProblem() {
  const found = spawnSync('gdb', ['--version']).status === 0;
  return found ? undefined : 'gdb is not installed (apt-get install gdb)';
}

function gcore(specimen, excluded) {
  const file = specimen.file('gcore');
  // Without the symbols of libraries, because loading them takes seconds.
  const commands = [`set dump-excluded-mappings ${excluded}`, `gcore ${file}`];
  const args = ['-nx', '-batch', '-iex', 'set auto-solib-add off', '-p', `${specimen.pid}`];
  for (const command of commands) args.push('-ex', command);
  const { stdout, stderr } = spawnSync('gdb', args, { encoding: 'utf8' });
  if (!stdout.includes('Saved corefile')) throw new Error(`gdb made no core: ${stderr}`);
  return scanFile(specimen, file);
}

/** Searches the file that a command of the planted process writes. */
async function written(specimen, command) {
  await specimen.tell(`${command} output`);
  return scanFile(specimen, specimen.file('output'));
}

function scanFile(specimen, file) {
  try {
    return specimen.scan((scanner) => scanner.file(file));
  } finally {
    rmSync(file);
  }
}

function scanFiles(scanner, files) {
  const results = files.map((file) => scanner.file(file));
  const read = results.reduce((sum, result) => sum + result.read, 0);
  return { read, hits: results.flatMap(({ hits }) => hits) };
}

/** The address of a secret, and whether a forked child has memory there. */
function someSecret(specimen) {
  const maps = readFileSync(`/proc/${specimen.pid}/maps`, 'latin1');
  const [, hidden] = /^([0-9a-f]+)-.*\/secretmem/m.exec(maps) ?? [];
  if (hidden !== undefined) return { address: hidden, isInherited: false };
  const { secrets } = readMemory(specimen);
  if (secrets.length === 0) throw new Error('no secret was found to be touched');
  return { address: secrets[0].place.split(' ')[0].slice(2), isInherited: true };
}
