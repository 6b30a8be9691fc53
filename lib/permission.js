'use strict';

// Asks the runtime whether this process may read a file or a variable. No runtime checks the
// accesses of native code.

const path = require('node:path');

const { SecretError, StoreError, addMembers } = require('./errors.js');

/** The files of a store. */
const STORE_FILES = ['epoch', 'store.db', 'store.db-wal', 'store.db-shm'];

/** A name that native code may give a file that is not complete. */
const TEMPORARY = '00000000-0000-4000-8000-000000000000';

/** Deno's permissions; undefined in other runtimes. */
const deno = globalThis.Deno?.permissions;

/**
 * The path at which the native part reads the file. Throws `ERR_ACCESS_DENIED` if Node's permission
 * model or Deno does not let us read it.
 */
function permittedPath(file) {
  // The native part refuses other values, and paths that no file can have.
  if (typeof file !== 'string' || file === '' || file.includes('\0')) return file;
  if (deno === undefined && process.permission === undefined) return file;
  // The kernel follows links before it resolves `..`, and may find another file than the one that
  // is asked about.
  const resolved = path.resolve(file);
  if (deno !== undefined) {
    assertGranted(SecretError, { name: 'read', path: resolved }, file, 'file', '--allow-read');
  } else if (!process.permission.has('fs.read', resolved)) {
    const why = 'the permission model does not let this process read the file: start Node with --allow-fs-read for it';
    throw denied(SecretError, why, 'FileSystemRead', file);
  }
  return resolved;
}

/**
 * The path of a folder in which the native part reads and writes files. Throws `ERR_ACCESS_DENIED`
 * if Node's permission model or Deno does not let us do both with the folder and all its files.
 */
function permittedFolder(folder) {
  const files = (resolved) => STORE_FILES.map((name) => path.join(resolved, name));
  return writable(StoreError, folder, 'folder', 'it and all its files', files);
}

/**
 * The path of a file that the native part makes, under another name first, reads and writes. Throws
 * `ERR_ACCESS_DENIED`, of `Class`, if Node's permission model or Deno does not let us do all that.
 */
function permittedFile(Class, file) {
  const files = (resolved) => [`${resolved}.${TEMPORARY}`];
  return writable(Class, file, 'file', 'all names that begin with its path', files);
}

/** The path of something to read and write, after asking for it and the files that go with it. */
function writable(Class, place, what, grant, files) {
  if (typeof place !== 'string' || place === '' || place.includes('\0')) return place;
  if (deno === undefined && process.permission === undefined) return place;
  const resolved = path.resolve(place);
  if (deno !== undefined) {
    for (const file of [resolved, ...files(resolved)]) {
      for (const name of ['read', 'write']) {
        assertGranted(Class, { name, path: file }, place, what, `--allow-${name}`);
      }
    }
    return resolved;
  }
  // A rule may name the folder or everything in it.
  for (const file of [resolved, ...files(resolved)]) {
    for (const [scope, permission] of [['fs.read', 'FileSystemRead'], ['fs.write', 'FileSystemWrite']]) {
      if (process.permission.has(scope, file)) continue;
      const flag = `--allow-${scope.replace('.', '-')}`;
      const why = `the permission model does not let this process use the ${what}: start Node with ${flag} for ${grant}`;
      throw denied(Class, why, permission, place);
    }
  }
  return resolved;
}

/** Throws `ERR_ACCESS_DENIED` if Deno does not let us read the environment variable. */
function assertMayReadVariable(name) {
  if (deno === undefined || typeof name !== 'string' || name === '' || name.includes('\0')) return;
  assertGranted(SecretError, { name: 'env', variable: name }, name, 'variable', '--allow-env');
}

function assertGranted(Class, permission, resource, what, flag) {
  // `prompt` means that Deno would ask the user, as it does for its own functions only.
  if (deno.querySync(permission).state === 'granted') return;
  const verb = permission.name === 'write' ? 'write' : 'read';
  const why = `Deno does not let this process ${verb} the ${what}: start it with ${flag} for it`;
  throw denied(Class, why, permission.name, resource);
}

/** An error with the code and the members of Node's own, of the class of what was asked for. */
function denied(Class, why, permission, resource) {
  return addMembers(new Class('ERR_ACCESS_DENIED', why), { permission, resource });
}

module.exports = { assertMayReadVariable, permittedFile, permittedFolder, permittedPath };
