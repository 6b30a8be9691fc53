'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { afterEach, beforeEach, test } = require('node:test');

const { Project } = require('../helpers/project.js');

const PLATFORM = `${process.platform}-${process.arch}${process.platform === 'win32' ? '-msvc' : ''}`;
const PERMISSION = ['--permission', '--experimental-permission'].find((flag) =>
  process.allowedNodeEnvironmentFlags.has(flag),
);

let project;
beforeEach(() => {
  project = new Project();
});
afterEach(() => project.remove());

/**
 * Requires the package in the project. Prints the details of the error, or the length of a token.
 */
function load(...flags) {
  const script = project.write(
    'load.js',
    `'use strict';
try {
  console.log(require('@nodesec/native').randomToken().length);
} catch ({ name, code, message, cause }) {
  console.log(JSON.stringify({ name, code, message, cause: cause?.code }));
}`,
  );
  const { status, stdout, stderr } = project.node('--no-warnings', ...flags, script);
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}

test('the package of the platform is loaded', async () => {
  project.addRoot();
  await project.addPlatform();
  assert.equal(load(), 43);
});

test('a missing package is named', () => {
  project.addRoot();
  const { name, code, message } = load();
  assert.equal(name, 'BindingError');
  assert.equal(code, 'ERR_BINDING_MISSING');
  const expected = `no native part for ${PLATFORM} here: the package @nodesec/native-${PLATFORM}`;
  assert.ok(message.includes(expected), message);
  assert.match(message, /--omit=optional/);
});

test('a platform package without its native part counts as missing', async () => {
  project.addRoot();
  fs.rmSync(await project.addPlatform());
  const { code, message } = load();
  assert.equal(code, 'ERR_BINDING_MISSING');
  const said = new RegExp(`the package @nodesec/native-${PLATFORM}\\S* is installed without its file`);
  assert.match(message, said);
});

test('a damaged native part is reported with its cause', async () => {
  project.addRoot();
  fs.writeFileSync(await project.addPlatform(), 'not a library');
  const { name, code, message, cause } = load();
  assert.equal(name, 'BindingError');
  assert.equal(code, 'ERR_BINDING_LOAD');
  assert.match(message, new RegExp(`for ${PLATFORM}[\\w-]* is installed but could not be loaded`));
  assert.equal(cause, 'ERR_DLOPEN_FAILED');
});

/** Puts a module in JavaScript in the place of the native part. */
async function replaceNativePart(text) {
  const folder = path.dirname(await project.addPlatform());
  fs.writeFileSync(path.join(folder, 'package.json'), '{ "main": "other.js" }');
  fs.writeFileSync(path.join(folder, 'other.js'), text);
}

for (const [what, text] of Object.entries({
  'an empty module': '',
  'a module with other exports': 'module.exports = { hash() {}, verify() {} };',
  'a function': 'module.exports = () => {};',
  null: 'module.exports = null;',
})) {
  test(`${what} in place of the native part is told from it`, async () => {
    project.addRoot();
    await replaceNativePart(text);
    const { name, code, message } = load();
    assert.deepEqual([name, code], ['BindingError', 'ERR_BINDING_LOAD'], message);
    assert.match(message, new RegExp(`^@nodesec/native-${PLATFORM}\\S* is another module than`));
  });
}

test('a module that throws no error in place of the native part is reported as well', async () => {
  project.addRoot();
  await replaceNativePart('throw undefined;');
  assert.equal(load().code, 'ERR_BINDING_LOAD');
});

test('no report of a damaged file asks for a file that has no name', async () => {
  // Node 24 prints a warning for it, and throws with --throw-deprecation.
  const trap = project.write(
    'trap.js',
    `const fs = require('node:fs');
     const { existsSync } = fs;
     fs.existsSync = (file) => {
       if (typeof file !== 'string') throw new TypeError('not a path');
       return existsSync(file);
     };`,
  );
  project.addRoot();
  fs.writeFileSync(await project.addPlatform(), '');
  assert.equal(load('--require', trap).code, 'ERR_BINDING_LOAD');
});

for (const [platform, arch, names] of [
  ['freebsd', 'x64', '@nodesec/native-freebsd-x64'],
  ['linux', 'ia32', '@nodesec/native-linux-ia32-gnu or @nodesec/native-linux-ia32-musl'],
  ['win32', 'ia32', '@nodesec/native-win32-ia32-msvc'],
]) {
  test(`a platform without a package is told which have one: ${platform} ${arch}`, async () => {
    const trap = project.write(
      'trap.js',
      `Object.defineProperty(process, 'platform', { value: '${platform}' });
       Object.defineProperty(process, 'arch', { value: '${arch}' });`,
    );
    project.addRoot();
    await project.addPlatform();
    const { code, message } = load('--require', trap);
    assert.equal(code, 'ERR_BINDING_MISSING');
    assert.ok(message.includes(`there is no package ${names}, only those for darwin-arm64, `), message);
    assert.match(message, /npm run build/);
  });
}

/** Changes bytes of the installed native part. Strings keep their length. */
function patch(file, change) {
  const bytes = fs.readFileSync(file);
  change(bytes, (from, to) => {
    const at = bytes.indexOf(`${from}\0`);
    assert.ok(at > 0, from);
    bytes.write(`${to}\0`, at, 'latin1');
  });
  fs.writeFileSync(file, bytes);
}

/** Loads, and returns the message of the error with `code`, which names no place on the disk. */
function refusal(code) {
  const error = load();
  assert.equal(error.code, code, error.message);
  assert.ok(!error.message.includes(path.basename(project.folder)), error.message);
  return error.message;
}

if (process.platform === 'linux') {
  test('on an old glibc, the error names the newest version that is needed and the one that is there', async () => {
    project.addRoot();
    // The loader itself names only the first version that it does not have.
    patch(await project.addPlatform(), (bytes, replace) => {
      const [one, other] = new Set(bytes.toString('latin1').match(/GLIBC_2\.\d\d(?=\0)/g));
      replace(one, 'GLIBC_2.98');
      replace(other, 'GLIBC_2.99');
    });
    const there = execFileSync('getconf', ['GNU_LIBC_VERSION'], { encoding: 'utf8' }).trim();
    const message = refusal('ERR_BINDING_LOAD');
    assert.ok(message.includes(`needs glibc 2.99 or newer, and this system has ${there}:`), message);
  });

  test('on a glibc that lacks a version without a number, the error names the version that has it', async () => {
    project.addRoot();
    patch(await project.addPlatform(), (bytes, replace) => {
      for (const name of new Set(bytes.toString('latin1').match(/GLIBC_2\.\d\d(?=\0)/g))) {
        replace(name, 'GLIBC_ABI2');
      }
    });
    assert.match(refusal('ERR_BINDING_LOAD'), /needs glibc 2\.\d+ or newer, and this system has glibc/);
  });

  test('a native part that was not copied to its end does not end the process', async () => {
    project.addRoot();
    const file = await project.addPlatform();
    const { size } = fs.statSync(file);
    for (const length of [size - 1, size / 2, 100_000, 64]) {
      fs.truncateSync(file, Math.floor(length));
      assert.match(refusal('ERR_BINDING_LOAD'), /is installed but could not be loaded: it is damaged/);
    }
  });

  test('with the package for musl alone, the error says that the process runs on glibc', async () => {
    project.addRoot();
    const file = await project.addPlatform();
    patch(file, (_, replace) => replace('libc.so.6', 'libc.so'));
    const name = path.basename(path.dirname(file));
    const rename = (from) => [from, from.replace(name, name.replace('-gnu', '-musl'))];
    fs.renameSync(...rename(path.dirname(file)));
    const message = refusal('ERR_BINDING_LOAD');
    assert.match(message, /-musl is installed but .*: this process runs on glibc, for which no/);
  });

  test('the error says that a native part is for another processor', async () => {
    project.addRoot();
    const AARCH64 = 183;
    const X86_64 = 62;
    const other = process.arch === 'x64' ? AARCH64 : X86_64;
    patch(await project.addPlatform(), (bytes) => bytes.writeUInt16LE(other, 18));
    const message = refusal('ERR_BINDING_LOAD');
    assert.ok(message.includes(`it is for another processor than ${process.arch}`), message);
  });
}

test('with the package of another system alone, that system is named', async () => {
  project.addRoot();
  const other = process.platform === 'darwin' ? 'linux-x64-gnu' : 'darwin-arm64';
  const folder = path.join('node_modules', '@nodesec', `native-${other}`);
  project.write(path.join(folder, 'package.json'), '{ "main": "index.js" }');
  project.write(path.join(folder, 'index.js'), '');
  const message = refusal('ERR_BINDING_MISSING');
  assert.ok(message.includes(`but the one for ${other} is. Install again`), message);
});

test('--no-optional, lock files and bundlers are named where a package is missing', () => {
  project.addRoot();
  const message = refusal('ERR_BINDING_MISSING');
  for (const cause of ['--no-optional', 'lock file', 'docs/bundling.md']) {
    assert.ok(message.includes(cause), cause);
  }
});

test('a native part of another version is refused', async () => {
  project.addRoot('99.0.0');
  await project.addPlatform();
  const { name, code, message } = load();
  assert.equal(name, 'BindingError');
  assert.equal(code, 'ERR_BINDING_VERSION');
  assert.match(message, /is version 99\.0\.0 but its native part is version \d+\.\d+\.\d+:/);
});

test('under the permission model the flags that errors name are the ones that are needed', async () => {
  project.addRoot();
  await project.addPlatform();
  const readable = ['load.js', path.join('node_modules', '@nodesec', 'native', '*')];
  const flags = readable.map((name) => `--allow-fs-read=${path.join(project.folder, name)}`);
  const named = [];
  let outcome = load(PERMISSION, ...flags);
  while (typeof outcome === 'object') {
    assert.equal(outcome.code, 'ERR_BINDING_PERMISSION', outcome.message);
    const [flag] = /--allow-\S+/.exec(outcome.message);
    assert.ok(!named.includes(flag), `${flag} was named again`);
    named.push(flag);
    outcome = load(PERMISSION, ...flags, ...named);
  }
  assert.ok(named.includes('--allow-addons'));
  assert.equal(outcome, 43);
});

test('--no-addons is named', async () => {
  project.addRoot();
  await project.addPlatform();
  const { code, message } = load('--no-addons');
  assert.equal(code, 'ERR_BINDING_PERMISSION');
  assert.match(message, /remove --no-addons/);
});

test('no diagnostic report is asked for: it would hold the environment', async () => {
  project.addRoot();
  const trap = project.write(
    'trap.js',
    `process.report.getReport = () => { process.stdout.write('a report was asked for'); };`,
  );
  assert.equal(load('--require', trap).code, 'ERR_BINDING_MISSING');
  await project.addPlatform();
  assert.equal(load('--require', trap), 43);
});
