// Holds the sources to the order that src/lib.rs states: an arrow between rooms points down, Node's
// interface is named in one room only, and `unsafe` stays where it is allowed.
//
//   node scripts/layers.mjs [src folder]

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { root } from './lib/run.mjs';

/** From top to bottom. Rooms of one line may not use each other. */
const LAYERS = [
  ['binding'],
  ['session'],
  ['jwt'],
  ['revocation', 'spiffe'],
  ['limiter', 'password'],
  ['mem'],
  ['id', 'registry'],
  ['clock', 'error'],
];

const NODE_ROOM = 'binding';
const UNSAFE_ROOMS = /^(mem|password\/engine|binding\/(args|fast))(\/|\.rs$)/;

const source = path.resolve(process.argv[2] ?? path.join(root, 'src'));
const files = readdirSync(source, { recursive: true })
  .map((name) => name.replaceAll('\\', '/'))
  .filter((name) => name.endsWith('.rs'))
  .sort();
const findings = files.flatMap((file) => check(file));

for (const { file, line, message } of findings) console.error(`${file}:${line}: ${message}`);
if (findings.length > 0) process.exitCode = 1;
else console.log(`Layers: ${files.length} files, every arrow points down.`);

function check(file) {
  const code = blankText(readFileSync(path.join(source, file), 'utf8'));
  const found = [...arrowFindings(file, code), ...wordFindings(file, code)];
  return found.map(({ at, message }) => ({ file, line: code.slice(0, at).split('\n').length, message }));
}

/** Comments, strings and characters as blanks, so that only code is read and lines keep their number. */
function blankText(code) {
  const text =
    /\/\/.*|\/\*[\s\S]*?\*\/|\bb?r(#*)"[\s\S]*?"\1|"(?:\\[\s\S]|[^"\\])*"|'(?:\\[^']+|[^'\\\n])'/g;
  return code.replace(text, (match) => match.replace(/[^\n]/g, ' '));
}

function arrowFindings(file, code) {
  const room = roomOf(file);
  if (room === 'lib' || room === 'testing') return [];
  if (levelOf(room) === -1) return [{ at: 0, message: `${room} has no place in the list of layers` }];
  const findings = arrows(code)
    .filter(({ to }) => to !== room && to !== 'testing' && levelOf(to) <= levelOf(room))
    .map(({ at, to }) => ({ at, message: `${room} may not use crate::${to}` }));
  for (const { at, steps } of climbs(code)) {
    if (steps >= depthOf(file) + modulesAround(code, at)) {
      findings.push({ at, message: 'reaches the crate root by super: say crate::' });
    }
  }
  return findings;
}

function roomOf(file) {
  return file.split('/')[0].replace(/\.rs$/, '');
}

function levelOf(room) {
  return LAYERS.findIndex((rooms) => rooms.includes(room));
}

/** Every room that is named after `crate::`, also within `crate::{…}`. */
function arrows(code) {
  return [...code.matchAll(/\bcrate::\s*(\w+|\{)/g)].flatMap(({ index: at, 0: match, 1: to }) =>
    to === '{'
      ? groupHeads(code, at + match.length).map((head) => ({ at, to: head }))
      : [{ at, to }],
  );
}

/** The first name of each item of the group that opens before `start`. */
function groupHeads(code, start) {
  const items = [''];
  for (let at = start, depth = 0; depth >= 0 && at < code.length; at += 1) {
    if (code[at] === '{') depth += 1;
    if (code[at] === '}') depth -= 1;
    if (code[at] === ',' && depth === 0) items.push('');
    else items[items.length - 1] += code[at];
  }
  return items.map((item) => /\w+/.exec(item)?.[0]).filter(Boolean);
}

/** Chains of `super::`. */
function climbs(code) {
  return [...code.matchAll(/\b(?:super::\s*)+/g)].map(({ index: at, 0: chain }) => ({
    at,
    steps: chain.match(/super/g).length,
  }));
}

/** How many steps below the crate root a file's module is. */
function depthOf(file) {
  return file.replace(/(\/mod)?\.rs$/, '').split('/').length;
}

/** How many `mod name { … }` blocks of the file stand around a place in it. */
function modulesAround(code, at) {
  const blocks = [...code.matchAll(/\bmod\s+\w+\s*\{/g)].map(({ index, 0: match }) => {
    const start = index + match.length;
    return { start, end: blockEnd(code, start) };
  });
  return blocks.filter(({ start, end }) => start <= at && at < end).length;
}

function blockEnd(code, start) {
  let depth = 1;
  let at = start;
  for (; at < code.length && depth > 0; at += 1) {
    if (code[at] === '{') depth += 1;
    if (code[at] === '}') depth -= 1;
  }
  return at;
}

function wordFindings(file, code) {
  const findings = [];
  if (roomOf(file) !== NODE_ROOM) {
    for (const { index: at } of code.matchAll(/\bnapi(_\w+)?\b/g)) {
      findings.push({ at, message: `only ${NODE_ROOM} may name napi` });
    }
  }
  if (!UNSAFE_ROOMS.test(file)) {
    for (const { index: at } of code.matchAll(/\bunsafe\b/g)) {
      findings.push({ at, message: 'unsafe is not allowed in this room' });
    }
  }
  return findings;
}
