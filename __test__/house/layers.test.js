'use strict';

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { afterEach, test } = require('node:test');

const script = path.join(__dirname, '..', '..', 'scripts', 'layers.mjs');
const folders = [];

const ARCHITECTURE = `
| Rooms, from the top down | Subject | \`unsafe\` |
|---|---|---|
| \`binding\` | N-API | in \`binding/fast\` |
| \`jwt\` | tokens | no |
| \`limiter\`, \`password\` | limits; hashes | in \`password/engine\` |
| \`heap\` | memory | in \`heap\` |
| \`error\` | codes | no |
`;

afterEach(() => {
  for (const folder of folders.splice(0)) fs.rmSync(folder, { recursive: true });
});

/** Runs the check on a checkout with these sources, `{ path: text }`. */
function layers(tree) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nodesec-layers-'));
  folders.push(folder);
  const package_ = '[package]\nname = "house"\nversion = "0.0.0"\nedition = "2024"\n';
  const all = {
    'ARCHITECTURE.md': ARCHITECTURE,
    'Cargo.toml': package_,
    'Cargo.lock': 'version = 4\n\n[[package]]\nname = "house"\nversion = "0.0.0"\n',
    ...tree,
  };
  for (const [name, source] of Object.entries(all)) {
    const file = path.join(folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, source);
  }
  return spawnSync(process.execPath, [script, folder], { encoding: 'utf8' });
}

/** Asserts that the check refuses the tree with exactly these findings. */
function refuses(tree, ...findings) {
  const { status, stderr } = layers(tree);
  assert.equal(stderr.trimEnd(), findings.join('\n'));
  assert.equal(status, 1);
}

test('a tree whose arrows point down passes', () => {
  const { status, stderr } = layers({
    'src/lib.rs': 'pub mod error; pub mod heap; pub mod jwt;',
    'src/error.rs': 'pub struct Error;',
    'src/heap/mod.rs': 'pub mod slot;\npub use slot::Slot;',
    'src/heap/slot.rs': 'use crate::error::Error;\npub struct Slot(pub Error);',
    'src/jwt/mod.rs': 'mod key;\npub use key::Key;',
    'src/jwt/key.rs':
      'use crate::heap::Slot;\npub struct Key(pub Slot);\n#[cfg(test)]\nmod tests { use crate::testing; }',
    'lib/a.js': "require('./b.js');",
    'lib/b.js': '',
  });
  assert.equal(stderr, '');
  assert.equal(status, 0);
});

test('an arrow up through a re-export or a method is refused', () => {
  const rooms = {
    'src/lib.rs': 'pub mod heap; pub mod jwt;',
    'src/jwt/mod.rs': 'pub struct Key;\nimpl Key { pub fn sign(&self) {} }',
  };
  // The text shows no dependency of `heap` on `jwt`: the type has another name in the crate root.
  refuses(
    {
      ...rooms,
      'src/lib.rs': `${rooms['src/lib.rs']}\npub use jwt::Key as lib;`,
      'src/heap/mod.rs': 'pub fn sign(key: &crate::lib) { key.sign() }',
    },
    'heap/mod.rs:1: heap/mod.rs may not use jwt::Key of jwt/mod.rs',
    'heap/mod.rs:1: heap/mod.rs may not use jwt::{impl#0}::sign of jwt/mod.rs',
  );
});

test('a circle of files is refused, in Rust and in JavaScript', () => {
  refuses(
    {
      'src/lib.rs': 'pub mod heap;',
      'src/heap/mod.rs': 'mod slab;\npub const LEN: usize = 8;\npub use slab::Slab;',
      'src/heap/slab.rs': 'pub struct Slab(pub [u8; super::LEN]);',
    },
    'heap/mod.rs:3: takes heap::slab::Slab from heap/slab.rs, which is in a circle of 2 files',
    'heap/slab.rs:1: takes heap::LEN from heap/mod.rs, which is in a circle of 2 files',
  );
  refuses(
    {
      'src/lib.rs': '',
      'lib/a.js': "const b = require('./b.js');",
      'lib/b.js': "\nimport a from './a.js';",
    },
    'lib/a.js:1: takes ./b.js from lib/b.js, which is in a circle of 2 files',
    'lib/b.js:2: takes ./a.js from lib/a.js, which is in a circle of 2 files',
  );
});

test('an arrow up is refused, with its place', () => {
  const finding = 'heap/slot.rs:2: heap may not use crate::jwt';
  refuses({ 'src/heap/slot.rs': '//! Slots.\nuse crate::jwt::Key;' }, finding);
  refuses({ 'src/heap/slot.rs': '//! Slots.\nuse crate::{error::Error, jwt::{Key, Ring}};' }, finding);
  refuses({ 'src/heap/slot.rs': '//! Slots.\nfn f() -> crate::jwt::Key { todo() }' }, finding);
});

test('an arrow to a sibling is refused', () => {
  const tree = { 'src/limiter/mod.rs': 'use crate::password::Policy;' };
  refuses(tree, 'limiter/mod.rs:1: limiter may not use crate::password');
});

test('an arrow up by super is refused', () => {
  const finding = 'heap/slot.rs:1: reaches the crate root by super: say crate::';
  refuses({ 'src/heap/slot.rs': 'use super::super::jwt::Key;' }, finding);
  refuses({ 'src/heap/slot.rs': 'mod tests { use super::super::super::jwt::Key; }' }, finding);
});

test('a room without a place in the order is refused', () => {
  refuses({ 'src/extra.rs': 'fn f() {}' }, 'extra.rs:1: ARCHITECTURE.md has no room extra');
});

test('napi outside the binding is refused', () => {
  const finding = 'jwt/key.rs:1: only binding may name napi';
  refuses({ 'src/jwt/key.rs': 'use napi::Env;' }, finding);
  refuses({ 'src/jwt/key.rs': '#[napi_derive::napi(object)]' }, finding, finding);
});

test('unsafe outside its rooms is refused, and the word in a text is not', () => {
  const finding = 'binding/jwt.rs:3: ARCHITECTURE.md allows no unsafe here';
  const source = `// unsafe\nconst A: &str = "unsafe \\" unsafe"; const Q: char = '"';\nunsafe { b() }`;
  refuses({ 'src/binding/jwt.rs': source }, finding);
});
