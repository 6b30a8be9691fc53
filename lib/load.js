'use strict';

// Finds and loads the native part.
//
// This is not the loader that the napi CLI generates. That loader reads `process.report` to tell
// the C library, and a report copies every environment variable, secrets included, onto the heap.
// This loader simply tries the packages that npm may have installed for this platform.

const path = require('node:path');

const { makeError, withCause } = require('./errors.js');
const { name, version } = require('../package.json');

const LIBCS = process.platform === 'linux' ? ['gnu', 'musl'] : [];
const TARGET = `${process.platform}-${process.arch}${process.platform === 'win32' ? '-msvc' : ''}`;
const TARGETS = LIBCS.length === 0 ? [TARGET] : LIBCS.map((libc) => `${TARGET}-${libc}`);

function load() {
  const failures = [];
  for (const target of TARGETS) {
    for (const candidate of [local(target), `${name}-${target}`]) {
      try {
        return require(candidate);
      } catch (error) {
        if (error.code === 'MODULE_NOT_FOUND' && names(error, candidate)) continue;
        failures.push({ target, error });
      }
    }
  }
  throw explain(failures);
}

/** Whether the missing module is the candidate itself, rather than a module that it requires. */
function names(error, candidate) {
  // On Windows the message names a package by the path below which Node looked for it.
  return error.message.replaceAll('\\', '/').includes(candidate.replaceAll('\\', '/'));
}

/** The path of the native part that a checkout builds. */
function local(target) {
  return path.join(__dirname, '..', 'npm', target, `nodesec.${target}.node`);
}

function explain(failures) {
  const denied = failures.map(({ error }) => permissionHint(error)).find(Boolean);
  if (denied) return bindingError('ERR_BINDING_PERMISSION', denied, failures);
  const packages = TARGETS.map((target) => `${name}-${target}`).join(' or ');
  if (failures.length > 0) {
    const [{ target }] = failures;
    return bindingError(
      'ERR_BINDING_LOAD',
      `the native part for ${target} is installed but could not be loaded: it is damaged or was ` +
        'built for another system or C library. Install again on the machine that runs it, ' +
        'without copying node_modules.',
      failures,
    );
  }
  return bindingError(
    'ERR_BINDING_MISSING',
    `${name} has no native part for ${TARGET} here: the package ${packages} is not installed. ` +
      'Install without --omit=optional, or, if there is no such package, build it from source ' +
      'with `npm run build` in a checkout.',
    failures,
  );
}

/** If the runtime forbids native code, the message that names the flag to add. */
function permissionHint(error) {
  if (error.code === 'ERR_DLOPEN_DISABLED') {
    return 'Node does not allow native addons in this process: add the flag --allow-addons (with --permission), or remove --no-addons.';
  }
  if (error.code === 'ERR_ACCESS_DENIED') {
    const folder = path.dirname(error.resource);
    return `Node's permission model does not let ${name} read its own files: add the flag --allow-fs-read=${path.join(folder, '*')}`;
  }
  if (error.name === 'NotCapable' || error.name === 'PermissionDenied') {
    return 'Deno does not allow native code in this process: add the flags --allow-ffi and --allow-env=NODE_ENV.';
  }
  return undefined;
}

function bindingError(code, message, failures) {
  return withCause(makeError(code, message), failures[0]?.error);
}

const native = load();

if (native.version() !== version) {
  throw makeError(
    'ERR_BINDING_VERSION',
    `${name} is of version ${version} but its native part of version ${native.version()}: ` +
      'delete node_modules and install again, or rebuild the checkout.',
  );
}
native.setFacade(
  { inProduction: () => process.env.NODE_ENV === 'production' },
  // Deno does not finalize the objects of a worker that ends.
  process.versions.deno !== undefined,
);

module.exports = native;
