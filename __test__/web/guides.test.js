'use strict';

// The handlers of errors in the guides, against the table of errors.

const assert = require('node:assert/strict');
const { readFileSync } = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

const read = (name) => readFileSync(path.join(__dirname, '../../docs', name), 'utf8');
const ROW = /^\| `(\w+)` \|.*\| (\d{3}) \|$/gm;
const BLOCK = /^const UNAVAILABLE = new Set\(\[([^\]]*)\]\);$/m;

for (const guide of ['express.md', 'fastify.md']) {
  test(`${guide}: the handler of errors answers 503 for the codes of errors.md that are one, and no others`, () => {
    // A WebError has its status itself.
    const rows = [...read('errors.md').matchAll(ROW)].filter(([, code]) => !code.startsWith('ERR_WEB_'));
    assert.ok(rows.length > 50);
    const expected = rows.filter(([, , status]) => status === '503').map(([, code]) => code);
    const [, block] = BLOCK.exec(read(guide));
    assert.deepEqual(block.match(/\w+/g).sort(), expected.sort());
  });
}
