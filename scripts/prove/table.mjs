// Renders the result as a Markdown table, and writes it into SECURITY.md.

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { root } from '../lib/run.mjs';

const FILE = path.join(root, 'SECURITY.md');
const PLACE = /(<!-- npm run prove -- --write -->\n)[\s\S]*(<!-- end -->)/;

/**
 * Returns the table. Each claim has a moment or a title, a reader, and `found`: backend → whether a
 * secret was found.
 */
export function render(claims, backends) {
  const lines = claims.map(({ moment, title, reader, found }) => [
    title ?? moment,
    reader,
    ...backends.map((backend) => (found[backend] ? 'found' : '0')),
  ]);
  const head = ['moment', 'reader', ...backends.map((backend) => `\`${backend}\``)];
  const table = [head, head.map(() => '---'), ...lines];
  return table.map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}

/** Whether SECURITY.md has this table. */
export function isDocumented(table) {
  return readFileSync(FILE, 'utf8') === withTable(table);
}

export function document(table) {
  writeFileSync(FILE, withTable(table));
}

function withTable(table) {
  const text = readFileSync(FILE, 'utf8');
  if (!PLACE.test(text)) throw new Error('SECURITY.md has no place for the table');
  return text.replace(PLACE, (_, start, end) => `${start}\n${table}\n${end}`);
}
