'use strict';

// Explains why the native part could not be loaded.

const { existsSync, readFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const path = require('node:path');

const { makeError, withCause } = require('./errors.js');
const { name } = require('../package.json');

const PLATFORM = `${process.platform}-${process.arch}${process.platform === 'win32' ? '-msvc' : ''}`;
/** How loaders say that a file is for another processor. */
const OTHER_PROCESSOR = /wrong ELF class|Exec format|incompatible arch|valid Win32/;

/** Another module was found than a native part. */
class OtherModule extends Error {
  constructor(found) {
    const names = typeof found === 'object' && found !== null ? Object.keys(found).slice(0, 8) : [];
    super(`the module exports ${names.join(', ') || 'nothing'}`);
  }
}

/**
 * The error for a native part that was not loaded. `failures` has an element for each file that is
 * there: its `target` and the `error`. `known` is every target for which there is a package.
 */
function loadError(targets, failures, known) {
  if (failures.length === 0) return makeError('ERR_BINDING_MISSING', missing(targets, known));
  const denied = failures.find(({ error }) => permissionHint(error) !== undefined)?.error;
  if (denied !== undefined) {
    return withCause(makeError('ERR_BINDING_PERMISSION', permissionHint(denied)), denied);
  }
  const libc = processLibc();
  // Packages for both C libraries may be here. The error of the one for this process tells more.
  const failure = failures.find(({ target }) => target.endsWith(`-${libc?.abi}`)) ?? failures[0];
  return withCause(makeError('ERR_BINDING_LOAD', unusable(failure, libc)), failure.error);
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

/** The native part is installed and could not be loaded. */
function unusable({ target, error }, libc) {
  if (error instanceof OtherModule) {
    return (
      `${name}-${target} is another module than the native part for ${target}. Delete ` +
      'node_modules and install again; if a bundler or a mock put it there, see docs/bundling.md.'
    );
  }
  if (/version `GLIBC_/.test(error.message)) {
    const there = libc?.version ? `glibc ${libc.version}` : 'an older one';
    return (
      `the native part for ${target} needs ${neededGlibc(error)}, and this system ` +
      `has ${there}: use a newer system, or build it from source on this one with ` +
      '`npm run build` in a checkout.'
    );
  }
  const why = () => {
    if (target.startsWith('linux') && libc !== undefined && !target.endsWith(`-${libc.abi}`)) {
      return `this process runs on ${libc.name}, for which no native part is installed`;
    }
    return isForOtherProcessor(error)
      ? `it is for another processor than ${process.arch}`
      : 'it is damaged or was built for another system or C library';
  };
  return (
    `the native part for ${target} is installed but could not be loaded: ${why()}. Install again ` +
    'on the machine that runs it, without copying node_modules.'
  );
}

function isForOtherProcessor({ message }) {
  if (OTHER_PROCESSOR.test(message)) return true;
  // glibc skips such a file and then says that there is none.
  const [, file] = /(\/.*\.node): cannot open shared object/.exec(message) ?? [];
  return file !== undefined && existsSync(file);
}

/**
 * The newest glibc that the file needs. The loader names the first version that it lacks. That need
 * not be a number: `GLIBC_ABI_DT_RELR` came with 2.36.
 */
function neededGlibc({ message }) {
  const [, first = '', file] = /`GLIBC_(.*?)'(?:.*?\(\S+ \S+ (.*?)\))?/.exec(message) ?? [];
  const text = `${textOf(file)} GLIBC_${first}`.replaceAll('GLIBC_ABI_DT_RELR', 'GLIBC_2.36');
  const minors = [...text.matchAll(/\bGLIBC_2\.(\d+)/g)].map(([, minor]) => Number(minor));
  return minors.length > 0 ? `glibc 2.${Math.max(...minors)} or newer` : 'a newer glibc';
}

/** The C library that this process has loaded, if Linux tells. */
function processLibc() {
  const maps = textOf('/proc/self/maps');
  if (/\/ld-musl-[^/\s]+$/m.test(maps)) return { abi: 'musl', name: 'musl' };
  const [file] = /\/\S*\/libc(?:-2\.\d+)?\.so(?:\.6)?$/m.exec(maps) ?? [];
  if (file === undefined) return undefined;
  const [, version] = /release version (2\.\d+)/.exec(textOf(file)) ?? [];
  return { abi: 'gnu', name: 'glibc', version };
}

/** The content of a file, or nothing if it cannot be read. */
function textOf(file) {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

/** There is no native part for this platform. */
function missing(targets, known) {
  const packages = targets.map((target) => `${name}-${target}`).join(' or ');
  const subject = `${name} has no native part for ${PLATFORM} here`;
  if (!targets.some((target) => known.includes(target))) {
    return (
      `${subject}: there is no package ${packages}, only those for ${known.join(', ')}. Run Node ` +
      'on one of these, or build the native part from source with `npm run build` in a checkout.'
    );
  }
  const emptied = targets.filter((target) => isInstalled(`${target}/package.json`));
  if (emptied.length > 0) {
    return (
      `${subject}: the package ${name}-${emptied.join(' and ')} is installed without its file ` +
      '`.node`. Install again; if a tracer copied the files, see docs/bundling.md.'
    );
  }
  const absent = `${subject}: the package ${packages} is not installed`;
  const others = known.filter((target) => !targets.includes(target) && isInstalled(target));
  if (others.length > 0) {
    return (
      `${absent}, but the one for ${others.join(' and ')} is. Install again on the machine that ` +
      'runs it, without copying node_modules.'
    );
  }
  return (
    `${absent}. Install without --omit=optional and --no-optional. If a lock file of another ` +
    'platform leaves the package out, delete it together with node_modules and install again. If ' +
    'a bundler or a tracer made this program, see docs/bundling.md. It can be built from source ' +
    'with `npm run build` in a checkout.'
  );
}

/** Whether the package of a target, or a file of it, is there. */
function isInstalled(place) {
  try {
    // Resolved, not loaded. Not `require` itself: a bundler warns about names that it cannot read.
    createRequire(__filename).resolve(`${name}-${place}`);
    return true;
  } catch {
    return false;
  }
}

module.exports = { OtherModule, loadError };
