// Every public function that takes a secret, or reads the secret of its receiver, does so within a
// guard, which clears stack and registers when it ends. The test uses a build that counts the
// guards that have ended. The compiler proves that Rust code without a guard cannot read the bytes
// of a secret; this test also covers secrets that an export takes as another type.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';

import { builtBinary } from '../../scripts/lib/ensure.mjs';
import { root } from '../../scripts/lib/run.mjs';
import { cargoEnv } from '../../scripts/lib/toolchain.mjs';

const require = createRequire(import.meta.url);
const native = useCountingBuild();
const { publicFunctions } = require('../helpers/exports.js');
const { outcome } = require('../helpers/outcome.js');
const table = require('../helpers/arguments.js');

let seen = 0;
for (const [name, call] of publicFunctions()) {
  const row = table[name];
  if (row.refused) continue;
  /** The number of guards that end on this thread during a call. */
  const guards = async (args) => {
    const receiver = row.on?.();
    const before = native.endedGuards();
    await outcome(() => call(receiver, args));
    return native.endedGuards() - before;
  };
  if (row.readsReceiver) {
    seen += 1;
    test(`${name} reads its receiver within a guard`, async () => {
      assert.ok((await guards(row.args())) > 0);
    });
  }
  for (const place of secretPlaces(row.kinds)) {
    seen += 1;
    test(`${name} takes the secret at ${place.join('.')} within a guard`, async () => {
      const args = row.args();
      const withIt = await guards(args);
      if (place.length === 1) {
        assert.ok(withIt > 0);
        return;
      }
      const without = row.args();
      const holder = place.slice(0, -1).reduce((object, key) => object[key], without);
      delete holder[place.at(-1)];
      assert.ok(withIt > (await guards(without)));
    });
  }
}

test('the table of arguments knows which of them are secrets', () => {
  assert.ok(seen >= 25, `${seen}`);
});

/** The places of secrets in a row's arguments: positions, then the names of options. */
function* secretPlaces(kinds, above = []) {
  for (const [key, kind] of Object.entries(kinds)) {
    const place = [...above, key];
    if (kind.isSecret) yield place;
    yield* secretPlaces(kind.options ?? kind.members ?? {}, place);
  }
}

/** Compiles the native part with the counter and makes the package load it instead of its own. */
function useCountingBuild() {
  const env = cargoEnv();
  const args = ['build', '--release', '--locked', '--lib', '--features', 'count-guards'];
  const messages = ['--message-format', 'json'];
  const { status, stdout, stderr } = spawnSync('cargo', [...args, ...messages], {
    cwd: root,
    env,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  assert.equal(status, 0, stderr);
  const library = stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
    .filter(({ reason, target }) => reason === 'compiler-artifact' && target.name === 'nodesec_native')
    .flatMap(({ filenames }) => filenames)
    .find((file) => /\.(so|dylib|dll)$/.test(file));
  const folder = mkdtempSync(path.join(tmpdir(), 'nodesec-guarded-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const binary = path.join(folder, 'nodesec.node');
  copyFileSync(library, binary);
  const counting = require(binary);
  require.cache[builtBinary()] = { ...require.cache[binary], exports: counting };
  return counting;
}
