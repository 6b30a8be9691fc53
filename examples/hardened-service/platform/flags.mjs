// The flags with which Node runs a service of this example. docs/hardening.md is the checklist.

import path from 'node:path';

/** The folder with the code of the services and all packages that they use. No data is in it. */
const root = path.resolve(import.meta.dirname, '..', '..', '..');

/** Whether this version of Node has a flag. */
const has = (flag) => process.allowedNodeEnvironmentFlags.has(flag);

/**
 * The flags for a service that reads and writes these files and folders, beside its own code.
 * A folder ends with `/*`. `evaluates` is for services whose packages make code from text: Fastify
 * compiles schemas, and lmdb its readers.
 */
export function flagsFor({ evaluates, read, write }) {
  return [
    // Node 20 has the permission model as an experiment.
    has('--permission') ? '--permission' : '--experimental-permission',
    // The native parts of this module and of lmdb. Child processes, worker threads, WASI and the
    // inspector stay forbidden.
    '--allow-addons',
    // Node 25 and later also ask before a connection. Only all or none can be allowed.
    ...(has('--allow-net') ? ['--allow-net'] : []),
    ...[`${root}/*`, ...read].map((file) => `--allow-fs-read=${file}`),
    ...write.map((file) => `--allow-fs-write=${file}`),
    '--disable-proto=delete',
    // Private keys of TLS are in locked memory of OpenSSL.
    '--secure-heap=65536',
    ...(evaluates ? [] : ['--disallow-code-generation-from-strings']),
    // Warnings that the permission model is on, and that addons are not bound by it.
    '--disable-warning=PERM0001',
    '--disable-warning=ExperimentalWarning',
    '--disable-warning=SecurityWarning',
  ];
}
