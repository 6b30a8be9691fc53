'use strict';

// Every JavaScript snippet of the README runs, by itself, and prints what its comments say.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const { readFileSync } = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

const root = path.join(__dirname, '..', '..');
const readme = readFileSync(path.join(root, 'README.md'), 'utf8');
const snippets = readme.split(/^## /m).flatMap((section) => {
  const [title] = section.split('\n', 1);
  return [...section.matchAll(/^```js\n([^]*?)```/gm)].map(([, code], index) => [
    index === 0 ? title : `${title} ${index + 1}`,
    code,
  ]);
});

const OUTPUT = {
  Passwords: /^$/,
  'Passwords 2': /^true \$argon2id\$v=19\$m=19456,t=2,p=1,keyid=azI\$\S+\n\{ valid: false \}\n$/,
  'Passwords 3': /^\{\n {2}threads: \d+,[^]*\n\}\n$/,
  Secrets: /^\[SecretBuffer 32 bytes\]\n(memfd_secret|mlock|dontdump|plain)\n$/,
  Tokens: /^\{\n? *ok: false,\s+code: 'ERR_JWT_REVOKED'[^]*\n\{"keys":\[\{[^]*\}\]\}\n$/,
  'Tokens 2': /^alice\n$/,
  'Tokens 3': /^spiffe:\/\/example\.org\/web\n$/,
  Sessions: /^rotated\n$/,
  'Rate limits': /^$/,
  Errors: /^true ERR_UNKNOWN_OPTION unknown option "memorycost"; did you mean "memoryCost"\?\n$/,
};

test('the README has snippets for each capability', () => {
  assert.deepEqual(
    snippets.map(([title]) => title),
    Object.keys(OUTPUT),
  );
});

for (const [title, code] of snippets) {
  test(`the README’s snippet runs: ${title}`, () => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--input-type=module', '--eval', code],
      { cwd: root, encoding: 'utf8' },
    );
    assert.equal(stderr, '');
    assert.equal(status, 0);
    assert.match(stdout, OUTPUT[title]);
  });
}
