'use strict';

// The code in the documentation: blocks of Markdown, and the examples of the manuals.

const assert = require('node:assert/strict');
const { execFileSync, spawnSync } = require('node:child_process');
const { readFileSync } = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..', '..');

const PRINTER = ['--require', path.join(__dirname, 'print-as-node.js')];
/** The arguments with which this runtime prints objects as Node does. */
const PRINTING_AS_NODE = { bun: PRINTER, deno: ['run', '--allow-all', ...PRINTER] }[runtime()] ?? [];

/** The name of this runtime: `node`, `bun` or `deno`. */
function runtime() {
  return ['bun', 'deno'].find((name) => process.versions[name] !== undefined) ?? 'node';
}

/** The Markdown files that git tracks. */
function markdownFiles() {
  const listed = execFileSync('git', ['ls-files', '*.md'], { cwd: root, encoding: 'utf8' });
  return listed.trim().split('\n');
}

/** The `js` blocks of a Markdown file: `[{ name, code }]`, named by heading and number. */
function markdownSnippets(file) {
  const text = readFileSync(path.join(root, file), 'utf8');
  const snippets = [];
  let heading = 'the beginning';
  let number = 0;
  for (const [, title, code] of text.matchAll(/^##+ ([^\n]+)$|^```js\n([^]*?)^```$/gm)) {
    if (title !== undefined) {
      [heading, number] = [title, 0];
    } else {
      number += 1;
      snippets.push({ name: `${file}, ${heading}, snippet ${number}`, code });
    }
  }
  return snippets;
}

/** The examples of the manuals: `[{ name, code }]`, named by number and imports. */
function manualExamples() {
  const manuals = ['index', 'argon2', 'audit', 'express', 'fastify', 'redis', 'web'];
  return manuals.flatMap((name) => examplesOf(`${name}.d.ts`));
}

function examplesOf(file) {
  const text = readFileSync(path.join(root, file), 'utf8');
  const examples = text.matchAll(/^ *\* @example\n((?: *\*.*\n)*?) *\* ```\n/gm);
  return [...examples].map(([, lines], index) => {
    const code = lines.replaceAll(/^ *\* ?/gm, '');
    assert.ok(code.startsWith('```ts\n'), code);
    const name = `${file}, example ${index + 1}: ${firstImport(code)}`;
    return { name, code: code.slice('```ts\n'.length) };
  });
}

function firstImport(code) {
  return /import (?:\{ )?(.+?)(?: \})? from '@nodesec\/native/.exec(code)?.[1] ?? 'no import';
}

/**
 * Runs Node, or the runtime of this process, with these arguments: it must print exactly what the
 * comments of `code` say.
 */
function assertPrints(code, args, { node = process.execPath, cwd = root, env = {} } = {}) {
  const before = node === process.execPath ? PRINTING_AS_NODE : [];
  const options = { cwd, encoding: 'utf8', env: { ...process.env, ...env } };
  const { status, stdout, stderr } = spawnSync(node, [...before, ...args], options);
  assert.equal(stderr, '');
  assert.equal(status, 0);
  const said = [...code.matchAll(/^ *(?:if \(.*\) )?console\.log\(.*\); \/\/ (.*)$/gm)];
  const lines = said.map(([, text]) => `${text.split('…').map(escaped).join('[^]*?')}\n`);
  assert.match(stdout, new RegExp(`^${lines.join('')}$`));
  return said.length;
}

function escaped(text) {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

module.exports = { assertPrints, manualExamples, markdownFiles, markdownSnippets };
