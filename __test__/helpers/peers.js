'use strict';

// Programs that tests run or compare with. If a program is missing, the message names it and says
// how to install it; the test is then skipped on a developer's machine and fails in CI.

const { spawnSync } = require('node:child_process');
const { existsSync } = require('node:fs');
const path = require('node:path');

const folder = path.join(__dirname, '..', '..', 'node_modules', '.cache', 'nodesec-peers');

/** The path of a Node with argon2 in node:crypto: this Node, or that of scripts/peers.mjs. */
function node24(t) {
  return require('node:crypto').argon2 !== undefined ? process.execPath : node(t, 24);
}

/** The path of Node 22, 24 or 26. */
function node(t, major) {
  const binary = process.platform === 'win32' ? 'node.exe' : 'node';
  return tool(t, `node${major}`, path.join('bin', binary));
}

/** The path of a file of a package that scripts/peers.mjs installs. */
function tool(t, name, file) {
  const found = path.join(folder, 'node_modules', name, file);
  return existsSync(found) ? found : missing(t, name, 'run `node scripts/peers.mjs`');
}

/** The path of the compiler of TypeScript 5.4, the oldest version that the types support. */
function typescript54(t) {
  return tool(t, 'typescript', path.join('bin', 'tsc'));
}

/** The path of npm argon2 0.45, which Node 24 loads and Node 20 does not; 0.44 is a dependency. */
function argon2v45(t) {
  return tool(t, 'argon2-045', 'argon2.cjs');
}

/** The path of Deno. */
function deno(t) {
  const libc = process.platform === 'linux' ? '-glibc' : '';
  const binary = process.platform === 'win32' ? 'deno.exe' : 'deno';
  return tool(t, `@deno/${process.platform}-${process.arch}${libc}`, binary);
}

/** Returns a function that runs a Python program with argon2-cffi, with JSON in and out. */
const argon2Cffi = (t) => pythonWith(t, 'argon2.low_level', 'argon2-cffi');

/** Returns a function that runs a Python program with PyJWT, with JSON in and out. */
const pyJwt = (t) => pythonWith(t, 'jwt, cryptography', 'PyJWT');

/** Returns a function that runs a Python program with Werkzeug, with JSON in and out. */
const werkzeug = (t) => pythonWith(t, 'werkzeug.security', 'Werkzeug');

/** Returns a function that runs a Python program with Django, with JSON in and out. */
const django = (t) => pythonWith(t, 'django.contrib.auth, bcrypt, argon2', 'Django with bcrypt');

/** Returns a function that runs a Python program with passlib, with JSON in and out. */
const passlib = (t) => pythonWith(t, 'passlib.hash, bcrypt, argon2', 'passlib with bcrypt');

/** Returns a function that runs a Python program with regopy, with JSON in and out. */
const rego = (t) => pythonWith(t, 'regopy', 'regopy');

function pythonWith(t, modules, what) {
  const python = process.platform === 'win32' ? 'python' : 'python3';
  const PYTHONPATH = path.join(folder, 'python');
  const options = { encoding: 'utf8', env: { ...process.env, PYTHONPATH } };
  if (spawnSync(python, ['-c', `import ${modules}`], options).status !== 0) {
    const how = 'install Python 3 with pip and run `node scripts/peers.mjs`';
    return missing(t, what, how);
  }
  return (program, input) => {
    const args = ['-c', `import json, sys\n${program}`];
    return JSON.parse(succeed(python, args, { ...options, input: JSON.stringify(input) }));
  };
}

/** Returns a function that runs libargon2's command. */
function argon2Command(t) {
  if (spawnSync('argon2', ['-h']).error !== undefined) {
    return missing(t, 'the command argon2', 'install libargon2 (Debian: `apt-get install argon2`)');
  }
  return (args, input) => succeed('argon2', args, { encoding: 'utf8', input }).trimEnd();
}

function succeed(command, args, options) {
  const { status, stdout, stderr } = spawnSync(command, args, options);
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${stderr}`);
  return stdout;
}

function missing(t, what, how) {
  const message = `${what} is not installed: ${how}`;
  if (process.env.CI) throw new Error(message);
  t.skip(message);
  return undefined;
}

module.exports = {
  argon2Cffi,
  argon2Command,
  argon2v45,
  deno,
  django,
  node,
  missing,
  node24,
  passlib,
  pyJwt,
  rego,
  tool,
  typescript54,
  werkzeug,
};
