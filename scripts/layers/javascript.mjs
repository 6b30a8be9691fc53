// The edges between JavaScript files: every file that another one requires or imports.

import { readFileSync } from 'node:fs';
import path from 'node:path';

const TAKEN = /\b(?:require\(|import\(|from|import)\s*(['"])(\.[^'"\n]*)\1/g;
const NAMES = ['', '.js', '.mjs', '/index.js'];

/** The edges among `files`, which are relative to `folder`: `{ from, to, line, name }`. */
export function javascriptEdges(folder, files) {
  const known = new Set(files);
  return files.flatMap((from) => {
    const code = readFileSync(path.join(folder, from), 'utf8');
    return [...code.matchAll(TAKEN)].flatMap(({ index, 2: name }) => {
      const target = path.posix.join(path.posix.dirname(from), name);
      const to = NAMES.map((end) => target + end).find((file) => known.has(file) && file !== from);
      return to === undefined ? [] : [{ from, to, line: lineAt(code, index), name }];
    });
  });
}

function lineAt(code, index) {
  return code.slice(0, index).split('\n').length;
}
