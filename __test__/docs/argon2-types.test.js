'use strict';

// The types of @nodesec/native/argon2 stand in for those of npm `argon2`, in both of its versions:
// each of its functions has a type that a program may expect of npm `argon2`'s.

const assert = require('node:assert/strict');
const { rmSync } = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

const peers = require('../helpers/peers.js');
const { compile } = require('../helpers/typescript.js');

/** A program for the types of the package `from`, whose options have the type `Options`. */
const program = (from, Options) => `
import argon2, { argon2d, argon2i, argon2id, hash, needsRehash, verify } from '@nodesec/native/argon2';
import type * as ours from '@nodesec/native/argon2';
import type * as theirs from '${from}';

const asExpected: Omit<typeof theirs, 'default'> = argon2;
const options: ours.HashOptions = {} as theirs.${Options};
const old: ours.Options = options;
const type: 0 | 1 | 2 = Math.random() < 0.5 ? argon2d : argon2id;
const tag: Promise<Buffer> = hash(Buffer.of(1), { ...old, type, raw: true });
const digest: string = await hash('a password', { type: argon2i, salt: Buffer.alloc(16), raw: false });
const [right, due]: boolean[] = [await verify(digest, 'x', { secret: Buffer.of(1) }), needsRehash(digest)];
console.log(asExpected, tag, right, due);
// @ts-expect-error A number is no password.
void hash(1);
// @ts-expect-error Misspelt.
void hash('x', { memorycost: 1 });
// @ts-expect-error Not a type.
void hash('x', { type: 3 });
// @ts-expect-error The digest is text.
void verify(Buffer.of(1), 'x');
`;

/** The complaints of a compiler about the program for each version. */
function complaints(t, tsc) {
  const newest = peers.argon2v45(t);
  if (newest === undefined) return '';
  const snippets = [
    { name: '0.44', code: program('argon2', 'Options') },
    { name: '0.45', code: program(newest.split(path.sep).join('/'), 'HashOptions') },
  ];
  const { folder, complaints: found } = compile(snippets, tsc);
  rmSync(folder, { recursive: true });
  return found;
}

test('a program for the types of npm argon2 0.44 or 0.45 compiles with TypeScript 7', (t) => {
  assert.equal(complaints(t), '');
});

test('a program for the types of npm argon2 0.44 or 0.45 compiles with TypeScript 5.4', (t) => {
  const tsc = peers.typescript54(t);
  if (tsc !== undefined) assert.equal(complaints(t, tsc), '');
});
