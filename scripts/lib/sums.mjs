// The hashes of tarballs, in a file as `sha256sum --check` reads it. It uses no package, because
// the job that publishes has none.

import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const SUMS = 'SHA256SUMS';

/** The SHA-256 of a file, in hexadecimal. */
export function sha256(file) {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

/** Writes the hashes of files of a folder. */
export function writeSums(folder, names) {
  const sums = names.map((name) => `${sha256(path.join(folder, name))}  ${name}\n`);
  writeFileSync(path.join(folder, SUMS), sums.sort().join(''));
}

/** Differences between the tarballs of a folder and its SHA256SUMS. */
export function sumFaults(folder) {
  const file = path.join(folder, SUMS);
  if (!existsSync(file)) return [`there is no ${SUMS}`];
  const lines = readFileSync(file, 'utf8').split('\n').filter((line) => line !== '');
  const entries = lines.map((line) => /^([0-9a-f]{64}) {2}([\w.-]+\.tgz)$/.exec(line));
  const wrong = lines.filter((_, index) => entries[index] === null);
  const names = entries.filter(Boolean).map(([, , name]) => name);
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  const listed = new Map(entries.filter(Boolean).map(([, hash, name]) => [name, hash]));
  const tarballs = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
  const gone = [...listed.keys()].filter((name) => !tarballs.includes(name));
  return [
    ...wrong.map((line) => `${SUMS} has a line that is no hash of a tarball: ${line}`),
    ...twice.map((name) => `${SUMS} lists ${name} twice`),
    ...gone.map((name) => `${SUMS} lists ${name}, which is not there`),
    ...tarballs
      .filter((name) => listed.get(name) !== sha256(path.join(folder, name)))
      .map((name) => `${name}: ${SUMS} does not list this hash`),
  ];
}
