// Checks that comments and the prose of Markdown are at most 100 columns wide. Tables and blocks of
// code are exempt, and URLs and the targets of links do not count.
//
//   node scripts/columns.mjs           checks every file that git tracks
//   node scripts/columns.mjs file…     checks these files

import { readFileSync } from 'node:fs';
import path from 'node:path';

import { main, root, run } from './lib/run.mjs';

const COLUMNS = 100;
const SOURCES = /\.(?:rs|[cm]?[jt]s|md)$/;
/** Files that the build writes. */
const GENERATED = /^(?:binding\.d\.ts|npm\/.*)$/;

await main(async () => {
  const named = process.argv.slice(2);
  const files = named.length > 0 ? named : await trackedFiles();
  const found = files.flatMap((file) => {
    const text = readFileSync(path.resolve(root, file), 'utf8');
    return longLines(file, text).map(({ line, length }) => ({ file, line, length }));
  });
  for (const { file, line, length } of found) {
    console.error(`${file}:${line}: ${length} columns: wrap the text at ${COLUMNS}`);
  }
  if (found.length > 0) process.exitCode = 1;
  else console.log(`Columns: ${files.length} files, no comment is wider than ${COLUMNS}.`);
});

async function trackedFiles() {
  const listed = await run('git', ['ls-files', '-z'], { quiet: true });
  return listed.split('\0').filter((file) => SOURCES.test(file) && !GENERATED.test(file));
}

/** The lines of prose that are too long: `{ line, length }`. */
function longLines(file, text) {
  const found = [];
  let inBlock = false;
  for (const [index, { whole, prose }] of proseLines(file, text).entries()) {
    if (prose === undefined) {
      inBlock = false;
    } else if (/^\s*(?:```|~~~)/.test(prose)) {
      inBlock = !inBlock;
    } else if (!inBlock && !/^\s*\|/.test(prose)) {
      const length = [...whole.replace(/(?<=\]\()[^)]*|\bhttps?:[^\s)>]*|^.*\]: \S+$/g, '')].length;
      if (length > COLUMNS) found.push({ line: index + 1, length });
    }
  }
  return found;
}

/** Every line, with its prose: in Markdown the whole line, in code the text of a comment. */
function proseLines(file, text) {
  const lines = text.split(/\r?\n/);
  if (file.endsWith('.md')) return lines.map((whole) => ({ whole, prose: whole }));
  let inComment = false;
  return lines.map((whole) => {
    if (inComment || /^\s*\/\*/.test(whole)) {
      inComment = !whole.includes('*/');
      return { whole, prose: whole.replace(/^\s*(?:\/\*+|\*(?!\/))/, '') };
    }
    return { whole, prose: lineComment(whole) };
  });
}

/** The text after `//`, unless the `//` is in a string. */
function lineComment(line) {
  const strings = /"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`/g;
  return /(?:^|\s)\/\/[/!]?(.*)/.exec(/^\s*\/\//.test(line) ? line : line.replace(strings, ''))?.[1];
}
