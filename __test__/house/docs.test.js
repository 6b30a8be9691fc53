'use strict';

// scripts/docs.mjs finds each kind of fault.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, test } = require('node:test');

const root = path.join(__dirname, '..', '..');
const manual = fs.readFileSync(path.join(root, 'index.d.ts'), 'utf8');
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nodesec-docs-'));
after(() => fs.rmSync(folder, { recursive: true }));

/** The complaints about a file with this text. */
function complaints(name, text) {
  const file = path.join(folder, name);
  fs.writeFileSync(file, text);
  const script = path.join(root, 'scripts', 'docs.mjs');
  const { status, stderr } = spawnSync(process.execPath, [script, file], { encoding: 'utf8' });
  const found = stderr.split('\n').filter(Boolean);
  assert.equal(status, found.length > 0 ? 1 : 0, stderr);
  return found.map((line) => line.slice(file.length));
}

/** The complaints about the manual with `pattern` replaced, which must be there. */
function complaintsWithout(pattern, replacement = '') {
  assert.match(manual, pattern);
  return complaints('index.d.ts', manual.replace(pattern, replacement)).map((line) =>
    line.replace(/^:\d*:? ?/, ''),
  );
}

test('the manual as it stands has no fault', () => {
  assert.deepEqual(complaints('index.d.ts', manual), []);
});

test('an export, a member, a method and a nested member need a doc comment', () => {
  const undocumented = (declaration) =>
    complaintsWithout(new RegExp(`(?: */\\*\\*[^/]*\\*/\\n)(?=${declaration})`));
  assert.deepEqual(undocumented('export const argon2d'), ['argon2d has no doc comment']);
  assert.deepEqual(undocumented('  windowMs: number'), ['RateLimit.windowMs has no doc comment']);
  assert.deepEqual(undocumented('  clone\\(\\)'), ['SecretBuffer.clone has no doc comment']);
  assert.deepEqual(undocumented('    sessions: number'), ['RevocationList.sessions has no doc comment']);
});

test('a class needs an example, and a link a declaration', () => {
  const [fault] = complaintsWithout(/@example(?=(?:(?!@example)[^])*?export class RateLimiter )/);
  assert.equal(fault, 'the class RateLimiter has no @example');
  assert.deepEqual(complaintsWithout(/\{@link secureHeap\}/, '{@link secureHeaps}'), [
    '{@link secureHeaps} names no declaration',
  ]);
});

test('a link of Markdown needs its file and its heading, and a block its language', () => {
  fs.writeFileSync(path.join(folder, 'there.md'), '# One heading, `two`\n');
  const good = '[a](there.md) [b](there.md#one-heading-two) [c](https://example.org) `[d](x)`\n';
  assert.deepEqual(complaints('a.md', good), []);
  assert.deepEqual(complaints('a.md', '[a](missing.md) [b](there.md#three) [c](#four)\n'), [
    ': the link to missing.md leads nowhere',
    ': there is no heading for the link to there.md#three',
    ': there is no heading for the link to #four',
  ]);
  assert.equal(complaints('a.md', '```javascript\nx;\n```\n').length, 1);
});
