'use strict';

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { afterEach, test } = require('node:test');

const script = path.join(__dirname, '..', '..', 'scripts', 'layers.mjs');
const folders = [];

afterEach(() => {
  for (const folder of folders.splice(0)) fs.rmSync(folder, { recursive: true });
});

/** Runs the check over a tree of `{ path: source }`. */
function layers(tree) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nodesec-layers-'));
  folders.push(folder);
  for (const [name, source] of Object.entries(tree)) {
    const file = path.join(folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, source);
  }
  return spawnSync(process.execPath, [script, folder], { encoding: 'utf8' });
}

/** Asserts that the tree is refused with exactly one finding. */
function refuses(tree, finding) {
  const { status, stderr } = layers(tree);
  assert.equal(stderr.trimEnd(), finding);
  assert.equal(status, 1);
}

test('a tree whose arrows point down passes', () => {
  const { status, stderr } = layers({
    'lib.rs': 'pub mod jwt;',
    'binding/mod.rs': 'use napi::Env;\nuse crate::{error::Error, jwt::{Key, ring::Ring}};',
    'binding/fast.rs': 'unsafe fn raw() {}',
    'jwt/mod.rs': 'use crate::revocation::List;\nuse crate::jwt::key::Key;',
    'jwt/key.rs': 'use super::header;\n#[cfg(test)]\nmod tests { use super::*; use crate::testing; }',
    'heap/mod.rs': 'unsafe { wipe() }',
    'password/engine/mod.rs': 'unsafe { fill() }',
  });
  assert.equal(stderr, '');
  assert.equal(status, 0);
});

test('an arrow up is refused, with its place', () => {
  const finding = 'heap/slot.rs:2: heap may not use crate::jwt';
  refuses({ 'heap/slot.rs': '//! Slots.\nuse crate::jwt::Key;' }, finding);
  refuses({ 'heap/slot.rs': '//! Slots.\nuse crate::{error::Error, jwt::{Key, Ring}};' }, finding);
  refuses({ 'heap/slot.rs': '//! Slots.\nfn f() -> crate::jwt::Key { todo() }' }, finding);
});

test('an arrow to a sibling is refused', () => {
  const tree = { 'limiter/mod.rs': 'use crate::password::Policy;' };
  refuses(tree, 'limiter/mod.rs:1: limiter may not use crate::password');
});

test('a way around by super is refused', () => {
  const finding = 'heap/slot.rs:1: reaches the crate root by super: say crate::';
  refuses({ 'heap/slot.rs': 'use super::super::jwt::Key;' }, finding);
  refuses({ 'heap/slot.rs': 'mod tests { use super::super::super::jwt::Key; }' }, finding);
});

test('a room without a place in the order is refused', () => {
  refuses({ 'extra.rs': 'fn f() {}' }, 'extra.rs:1: extra has no place in the list of layers');
});

test('napi outside the binding is refused', () => {
  const finding = 'jwt/key.rs:1: only binding may name napi';
  refuses({ 'jwt/key.rs': 'use napi::Env;' }, finding);
  refuses({ 'jwt/key.rs': '#[napi_derive::napi(object)]' }, `${finding}\n${finding}`);
});

test('unsafe outside its rooms is refused, and the word in a text is not', () => {
  const finding = 'binding/jwt.rs:3: unsafe is not allowed in this room';
  const source = `// unsafe\nconst A: &str = "unsafe \\" unsafe"; const Q: char = '"';\nunsafe { b() }`;
  refuses({ 'binding/jwt.rs': source }, finding);
});
