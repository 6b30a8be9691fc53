// Unpacks tarballs, if they have only files that npm writes to the same places.

import path from 'node:path';

import { run } from '../lib/run.mjs';

/** A line of tar's list: a regular file below `package/`, without the names that change a path. */
const FILE = /^-[rwx-]{9}\s.*\spackage\/((?:[\w-][\w.-]*\/)*[\w-][\w.-]*)$/;

/**
 * Unpacks a tarball into a folder. Throws for a link, a device, or a file beside `package/`: npm
 * drops the first folder of each name, whatever it is called, so such a file is installed as well.
 * Throws for two files of one name, too, of which programs choose differently.
 */
export async function unpack(tarball, folder) {
  const options = ['--file', tarball];
  // Otherwise tar would show a path as if it were relative.
  const listed = await run('tar', ['--list', '--verbose', '--absolute-names', ...options], { quiet: true });
  const names = new Set();
  for (const line of listed.trimEnd().split('\n')) {
    const [, name] = FILE.exec(line) ?? [];
    if (name === undefined) throw refusal(tarball, `is no regular file below package/: ${line}`);
    // Windows and macOS do not tell upper case from lower case.
    if (names.has(name.toLowerCase())) throw refusal(tarball, `is there twice: ${name}`);
    names.add(name.toLowerCase());
  }
  await run('tar', ['--extract', ...options, '--directory', folder]);
}

function refusal(tarball, what) {
  return new Error(`${path.basename(tarball)}: an entry ${what}`);
}
