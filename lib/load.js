'use strict';

// Finds and loads the native part.
//
// This is not the loader that the napi CLI generates. That loader reads `process.report` to tell
// the C library, and a report copies every environment variable, secrets included, onto the heap.
// This loader simply tries the packages that npm may have installed for this platform.

const { createRequire } = require('node:module');

const { cutOff } = require('./cut-off.js');
const { makeError } = require('./errors.js');
const { OtherModule, loadError } = require('./load-error.js');
const { notice } = require('./notice.js');
const { inProduction } = require('./production.js');
const { name, version, napi } = require('../package.json');

/** The targets that have a package. */
const KNOWN = [
  'darwin-arm64',
  'darwin-x64',
  'linux-arm64-gnu',
  'linux-arm64-musl',
  'linux-x64-gnu',
  'linux-x64-musl',
  'win32-arm64-msvc',
  'win32-x64-msvc',
];
const TARGETS = targetsOf(process.platform, process.arch);

/** The names of the packages that may fit. On Linux that depends on the C library. */
function targetsOf(platform, arch) {
  if (platform === 'linux') return ['gnu', 'musl'].map((libc) => `${platform}-${arch}-${libc}`);
  return [platform === 'win32' ? `${platform}-${arch}-msvc` : `${platform}-${arch}`];
}

function load() {
  const failures = [];
  for (const target of TARGETS) {
    const found = fromCheckout(target, failures) ?? fromPackage(target, failures);
    if (isNativePart(found)) return found;
    if (found !== undefined) failures.push({ target, error: new OtherModule(found) });
  }
  throw loadError(TARGETS, failures, KNOWN);
}

/** Whether a module is a native part, of any version. Bundlers may put an empty one there. */
function isNativePart(found) {
  return typeof found?.version === 'function';
}

/** The native part that a checkout has built. Packed manifests have no `napi`. */
function fromCheckout(target, failures) {
  if (napi === undefined) return undefined;
  try {
    // Not `require` itself: a bundler warns about names that it cannot read.
    return createRequire(__filename)(`../npm/${target}/nodesec.${target}.node`);
  } catch (error) {
    note(failures, target, error);
  }
  return undefined;
}

/**
 * The native part of a package. Bundlers and tracers of files find it by these literal names. Each
 * name stands directly in `try`, which tells them that a package may be missing.
 */
function fromPackage(target, failures) {
  const damage = process.platform === 'linux' ? damageOf(target) : undefined;
  if (damage !== undefined) {
    failures.push({ target, error: damage });
    return undefined;
  }
  try {
    switch (target) {
      case 'darwin-arm64':
        return require('@nodesec/native-darwin-arm64');
      case 'darwin-x64':
        return require('@nodesec/native-darwin-x64');
      case 'linux-arm64-gnu':
        return require('@nodesec/native-linux-arm64-gnu');
      case 'linux-arm64-musl':
        return require('@nodesec/native-linux-arm64-musl');
      case 'linux-x64-gnu':
        return require('@nodesec/native-linux-x64-gnu');
      case 'linux-x64-musl':
        return require('@nodesec/native-linux-x64-musl');
      case 'win32-arm64-msvc':
        return require('@nodesec/native-win32-arm64-msvc');
      case 'win32-x64-msvc':
        return require('@nodesec/native-win32-x64-msvc');
      default:
    }
  } catch (error) {
    note(failures, target, error);
  }
  return undefined;
}

/** The error of a package whose native part was not copied to its end. */
function damageOf(target) {
  try {
    // Not `require` itself: a bundler warns about names that it cannot read.
    return cutOff(createRequire(__filename).resolve(`${name}-${target}`));
  } catch {
    // A package that is not there, or that a bundler has put into the program.
    return undefined;
  }
}

/** Keeps an error, unless it says that there is no file. A native part requires no other module. */
function note(failures, target, thrown) {
  // The module that stands in for a native part may throw any value.
  const error = typeof thrown === 'object' && thrown !== null ? thrown : new Error(String(thrown));
  // The second form is that of programs compiled by Bun.
  const isMissing = error.code === 'MODULE_NOT_FOUND' || /^Cannot require/.test(error.message);
  if (!isMissing) failures.push({ target, error });
}

const native = load();

if (native.version() !== version) {
  throw makeError(
    'ERR_BINDING_VERSION',
    `${name} is version ${version} but its native part is version ${native.version()}: ` +
      'delete node_modules and install again, or rebuild the checkout.',
  );
}
native.setFacade(
  { inProduction, notice },
  // Deno does not finalize the objects of a worker that ends.
  process.versions.deno !== undefined,
);

module.exports = native;
