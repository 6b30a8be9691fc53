// `npm run footprint`: prints, as the table of docs/supply-chain.md, the packages that this package
// and those that it replaces bring into a project, and their bytes. Ours are the tarballs of
// target/release-dry, or of a folder that is named. The others are in node_modules, in the versions
// and with the dependencies of package-lock.json.

import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { main, root, run } from './lib/run.mjs';
import { tarballsHere } from './lib/tarballs.mjs';
import { commandLine, folderOf } from './lib/usage.mjs';

const OTHERS = ['argon2', 'jose', 'rate-limiter-flexible', 'sodium-native'];
const MODULES = 'node_modules/';

await main(async () => {
  const { positionals } = commandLine({ allowPositionals: true });
  const source = folderOf(positionals, path.join(root, 'target', 'release-dry'));
  const { packages } = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8'));
  const rows = [[`\`@nodesec/native\` ${packages[''].version}`, await ours(source)]];
  for (const name of OTHERS) {
    const label = `\`${name}\` ${packages[MODULES + name].version}`;
    rows.push([label, sum(closure(packages, [name]))]);
  }
  rows.push(['these four', sum(closure(packages, OTHERS))]);
  console.log('| | packages | files | unpacked |\n| --- | --- | --- | --- |');
  for (const [label, { count, files, bytes }] of rows) {
    console.log(`| ${label} | ${count} | ${files} | ${(bytes / 1e6).toFixed(2)} MB |`);
  }
});

/** The root and the platform package of this machine, unpacked. */
async function ours(source) {
  const { root: own, platform } = tarballsHere(source);
  const folder = mkdtempSync(path.join(os.tmpdir(), 'nodesec-footprint-'));
  try {
    const opened = [own, platform].map(() => mkdtempSync(path.join(folder, 'package-')));
    for (const [index, tarball] of [own, platform].entries()) {
      await run('tar', ['--extract', '--file', tarball, '--directory', opened[index]]);
    }
    return sum(opened);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The folders of packages and of all that npm installs for them on this platform. */
function closure(packages, names) {
  const found = new Set();
  const visit = (key) => {
    const folder = path.join(root, key);
    // An optional package for another platform.
    if (found.has(folder) || !existsSync(folder)) return;
    found.add(folder);
    const { dependencies, optionalDependencies } = packages[key];
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      visit(resolve(packages, key, name));
    }
  };
  for (const name of names) visit(MODULES + name);
  return [...found];
}

/** The place of a dependency in the lock file: the next one upwards, as Node looks for it. */
function resolve(packages, from, name) {
  for (let folder = `${from}/`; ; folder = folder.slice(0, folder.lastIndexOf(MODULES))) {
    const key = `${folder}${MODULES}${name}`;
    if (Object.hasOwn(packages, key) || folder === '') return key;
  }
}

/** The number of packages, and of their own files, without packages inside of them. */
function sum(folders) {
  const files = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath, entry.name))
      .filter((file) => !path.relative(folder, file).split(path.sep).includes('node_modules')),
  );
  const bytes = files.reduce((total, file) => total + statSync(file).size, 0);
  return { count: folders.length, files: files.length, bytes };
}
