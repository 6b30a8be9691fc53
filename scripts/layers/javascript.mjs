// Reads the edges between JavaScript files: each `require` or import of another file is one.

import { readFileSync } from 'node:fs';
import path from 'node:path';

const TAKEN = /\b(?:require\(|import\(|from|import)\s*(['"])(\.[^'"\n]*)\1/g;
const NAMES = ['', '.js', '.mjs', '/index.js'];

/** Returns the edges `{ from, to, line, name }` among `files`, which are relative to `folder`. */
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
