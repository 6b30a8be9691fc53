// Finds breaches of the order of rooms in the text of a file. This covers every file, including
// tests and code for other systems, which the compiler does not read here.

import { roomOf } from './house.mjs';

const NODE_ROOM = 'binding';
/** Rooms outside the order: the crate's root, and helpers that tests share. */
const OUTSIDE = ['lib', 'testing'];

/** Returns the findings in one file: `{ file, line, message }`. */
export function textFindings(rooms, file, source) {
  const code = blankText(source);
  return [...arrowFindings(rooms, file, code), ...wordFindings(rooms, file, code)].map(
    ({ at, message }) => ({ file, line: code.slice(0, at).split('\n').length, message }),
  );
}

/**
 * Replaces comments, strings and characters by blanks, so that only code remains and lines keep
 * their numbers.
 */
function blankText(code) {
  const text =
    /\/\/.*|\/\*[\s\S]*?\*\/|\bb?r(#*)"[\s\S]*?"\1|"(?:\\[\s\S]|[^"\\])*"|'(?:\\[^']+|[^'\\\n])'/g;
  return code.replace(text, (match) => match.replace(/[^\n]/g, ' '));
}

function arrowFindings(rooms, file, code) {
  const room = roomOf(file);
  if (OUTSIDE.includes(room)) return [];
  if (!rooms.has(file)) return [{ at: 0, message: `ARCHITECTURE.md has no room ${room}` }];
  const findings = arrows(code)
    .filter(({ to }) => !OUTSIDE.includes(to) && rooms.forbids(file, to))
    .map(({ at, to }) => ({ at, message: `${room} may not use crate::${to}` }));
  for (const { at, steps } of climbs(code)) {
    if (steps >= depthOf(file) + modulesAround(code, at)) {
      findings.push({ at, message: 'reaches the crate root by super: say crate::' });
    }
  }
  return findings;
}

/** Every room that is named after `crate::`, or within `crate::{…}`. */
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

function wordFindings(rooms, file, code) {
  const findings = [];
  if (roomOf(file) !== NODE_ROOM) {
    for (const { index: at } of code.matchAll(/\bnapi(_\w+)?\b/g)) {
      findings.push({ at, message: `only ${NODE_ROOM} may name napi` });
    }
  }
  if (!rooms.allowsUnsafe(file)) {
    for (const { index: at } of code.matchAll(/\bunsafe\b/g)) {
      findings.push({ at, message: 'ARCHITECTURE.md allows no unsafe here' });
    }
  }
  return findings;
}
