'use strict';

// The guide has its parts; markdown.test.js runs its snippets.

const assert = require('node:assert/strict');
const { readFileSync } = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

const root = path.join(__dirname, '..', '..');
const guide = readFileSync(path.join(root, 'docs', 'migrating.md'), 'utf8');

test('there is a section for each package, with both sides', () => {
  const sections = guide.split(/^## /m).slice(1);
  const hashes = ['npm `argon2`', '`@node-rs/argon2`', 'bcrypt', '`node:crypto`'];
  const limits = ['rate-limiter-flexible', 'express-rate-limit'];
  for (const name of [...hashes, 'jsonwebtoken', 'jose', 'fast-jwt', ...limits]) {
    const section = sections.find((text) => text.startsWith(`From ${name}\n`));
    assert.match(section, /^Before[^]*```js[^]*^After:[^]*```js/m);
  }
});
