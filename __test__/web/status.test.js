'use strict';

// The HTTP statuses of errors, against the table of docs/errors.md.

const assert = require('node:assert/strict');
const { readFileSync } = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

const native = require('@nodesec/native');
const { statusOf } = require('@nodesec/native/web');
const { answerTo } = require('../../lib/web/status.js');

const read = (name) => readFileSync(path.join(__dirname, '../../docs', name), 'utf8');
/** The codes of errors.md with their statuses; of some, there is none. */
const ROWS = [...read('errors.md').matchAll(/^\| `((?:ERR_|ABORT_)\w+)` \|.*\| (\d{3}|–) \|$/gm)].map(
  ([, code, status]) => [code, status === '–' ? 500 : Number(status)],
);

test('every code has the status of errors.md', () => {
  assert.ok(ROWS.length > 70);
  for (const [code, status] of ROWS) {
    assert.equal(statusOf(new native.NodesecError(code, '')), status, code);
  }
});

test('every code for something that is full is a 503, because the same call can succeed later', () => {
  const full = ROWS.filter(([code]) => code.endsWith('_FULL'));
  assert.ok(full.length >= 6, `${full}`);
  for (const [code, status] of full) assert.equal(status, 503, code);
});

test('a value that is no error of this module has no status', () => {
  const node = Object.assign(new Error('of Node'), { code: 'ABORT_ERR' });
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  for (const value of [undefined, null, 503, 'ERR_STORE_BUSY', { code: 'ERR_STORE_BUSY' }, node, proxy]) {
    assert.equal(statusOf(value), undefined);
  }
});

test('the middleware answers an error of a call with 503 if that is its status, else with 500', () => {
  for (const [code, status] of ROWS.filter(([code]) => !code.startsWith('ERR_WEB_'))) {
    const cause = new native.NodesecError(code, '');
    const answer = answerTo(cause);
    assert.deepEqual([answer.status, answer.cause], [status === 503 ? 503 : 500, cause], code);
    assert.equal(answer.headers['Retry-After'], status === 503 ? '5' : undefined, code);
  }
  const busy = new native.PasswordError('ERR_PASSWORD_BUSY', '', 61_000);
  assert.equal(answerTo(busy).headers['Retry-After'], '61');
  for (const other of [answerTo(busy), new Error('mine'), undefined, 'text']) assert.equal(answerTo(other), other);
});

for (const guide of ['express.md', 'fastify.md']) {
  test(`${guide}: the handler of errors takes the status of the table`, () => {
    assert.match(read(guide), /^ +const status = statusOf\(error\) \?\? error\.status(?:Code)? \?\? 500;/m);
  });
}
