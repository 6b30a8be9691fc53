// `npm run verify:build`: builds the last commit twice as it is released, in two clones, one after
// the other, with everything at other paths, and compares the native parts. With files, which are
// `.node` or tarballs of a platform, it builds once and compares with them: check out the tag of a
// release and name its download. The native part is the one of this machine; `--triple` names
// another.
//
// The version of Rust must be that of the release; zig and cargo-auditable are locked.

import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { main, root, run } from './lib/run.mjs';
import { sha256 } from './lib/sums.mjs';
import { hostTriple, platformOf, requireTools } from './lib/toolchain.mjs';
import { UsageError, chosen, commandLine } from './lib/usage.mjs';

/** Folders of the clones below a temporary one: their lengths differ, and one has spaces. */
const PLACES = ['one', path.join('another', 'place of the sources')];

await main(async () => {
  requireTools();
  const { values, positionals } = commandLine({
    options: { triple: { type: 'string', default: hostTriple() } },
    allowPositionals: true,
  });
  const { targets } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')).napi;
  chosen('target', [values.triple], targets);
  const missing = positionals.filter((file) => !existsSync(file));
  if (missing.length > 0) throw new UsageError(`there is no file ${missing.join(', ')}`);
  const folder = mkdtempSync(path.join(os.tmpdir(), 'nodesec-verify-'));
  let isKept = false;
  try {
    const given = [];
    for (const file of positionals) given.push([file, await nativePart(path.resolve(file), folder)]);
    const commit = (await run('git', ['rev-parse', 'HEAD'], { quiet: true })).trim();
    const rust = (await run('rustc', ['--version'], { quiet: true })).trim();
    const built = [];
    for (const place of given.length > 0 ? PLACES.slice(1) : PLACES) {
      const clone = path.join(folder, place);
      built.push([clone, await build(clone, commit, values.triple)]);
    }
    console.log(`\n${values.triple}, commit ${commit}, ${rust}`);
    const sums = [...built, ...given].map(([name, file]) => [sha256(file), name]);
    for (const line of sums) console.log(line.join('  '));
    if (new Set(sums.map(([sum]) => sum)).size > 1) {
      isKept = true;
      throw new Error(`The native parts differ. The clones are still in ${folder}.`);
    }
    console.log(`${sums.length} native parts are the same.`);
  } finally {
    if (!isKept) rmSync(folder, { recursive: true, force: true });
  }
});

/** Builds a clone at a path, with cargo's folder inside of it. Resolves to the native part. */
async function build(clone, commit, triple) {
  console.log(`\n== ${clone}`);
  await run('git', ['clone', '--quiet', '--no-checkout', root, clone]);
  await run('git', ['checkout', '--quiet', commit], { cwd: clone });
  const started = Date.now();
  const script = path.join(clone, 'scripts', 'releasable.mjs');
  const env = { ...process.env, CARGO_HOME: path.join(clone, '.cargo-home') };
  await run(process.execPath, [script, triple], { cwd: clone, env });
  console.log(`${Math.round((Date.now() - started) / 1000)} s`);
  const platform = platformOf(triple);
  return path.join(clone, 'npm', platform, `nodesec.${platform}.node`);
}

/** The native part of a tarball, or the file itself. */
async function nativePart(file, folder) {
  if (!file.endsWith('.tgz')) return file;
  const opened = mkdtempSync(path.join(folder, 'opened-'));
  await run('tar', ['--extract', '--file', file, '--directory', opened]);
  const [name] = readdirSync(path.join(opened, 'package')).filter((each) => each.endsWith('.node'));
  if (name === undefined) throw new Error(`${file} has no native part`);
  return path.join(opened, 'package', name);
}
