'use strict';

// The rules of docs/supply-chain.md that a checkout can break: scripts, dependencies, locks,
// shells.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

const { Project, checkout } = require('../helpers/project.js');

const LOCKS = path.join(checkout, 'scripts', 'locks');
const MANIFESTS = [
  'package.json',
  ...fs.readdirSync(path.join(checkout, 'npm')).map((name) => `npm/${name}/package.json`),
];
/** The scripts that a package manager runs by itself. */
const LIFECYCLE = /^(?:pre|post)?(?:install|prepare|pack|publish)(?:Only)?$|^dependencies$/;

const read = (name) => fs.readFileSync(path.join(checkout, name), 'utf8');

/** The names of the files below folders that match a pattern. */
function filesBelow(folders, pattern) {
  return folders.flatMap((folder) =>
    fs
      .readdirSync(path.join(checkout, folder), { recursive: true })
      .map((name) => path.join(folder, name))
      .filter((name) => pattern.test(name)),
  );
}

test('no package has a script that runs by itself, or a dependency at run time', () => {
  for (const name of MANIFESTS) {
    const { scripts = {}, ...manifest } = JSON.parse(read(name));
    const lifecycle = Object.keys(scripts).filter((script) => LIFECYCLE.test(script));
    assert.deepEqual([name, lifecycle], [name, []]);
    for (const kind of ['dependencies', 'bundleDependencies', 'bundledDependencies']) {
      assert.equal(manifest[kind], undefined, `${name}: ${kind}`);
    }
    assert.ok(!fs.existsSync(path.join(checkout, path.dirname(name), 'binding.gyp')), name);
  }
});

test('every version of a dependency of development is exact', () => {
  const { devDependencies } = JSON.parse(read('package.json'));
  for (const [name, version] of Object.entries(devDependencies)) {
    assert.match(version, /^(npm:[a-z0-9-]+@)?\d+\.\d+\.\d+$/, name);
  }
});

test('no script, test or benchmark starts a shell from Node', () => {
  const files = filesBelow(['scripts', '__test__', 'benches', 'examples'], /(?<!supply\.test)\.[cm]?js$/);
  assert.ok(files.length > 100);
  const found = files.filter((name) => {
    const text = read(name);
    return /\bshell\s*:|[{,]\s*shell\s*[,}]|\bexec(?:Sync)?\b(?=[^;]*node:child_process)/.test(text);
  });
  assert.deepEqual(found, []);
});

test('npm starts without a shell on Windows, as the file beside Node', async () => {
  const { startable } = await import('../../scripts/lib/run.mjs');
  const windows = { platform: 'win32', execPath: path.join(path.sep, 'nodejs', 'node.exe') };
  const cli = path.join(path.sep, 'nodejs', 'node_modules', 'npm', 'bin', 'npm-cli.js');
  assert.deepEqual(startable('npm', ['ci'], windows), [windows.execPath, [cli, 'ci']]);
  assert.deepEqual(startable('tar', ['-x'], windows), ['tar', ['-x']]);
  assert.deepEqual(startable('npm', ['ci'], { platform: 'linux' }), ['npm', ['ci']]);
});

test('every package of a lock for Python has hashes, and every one that is named has one version', () => {
  for (const name of filesBelow(['scripts/locks'], /\.in$/)) {
    const lock = read(name.replace(/in$/, 'txt'));
    const wanted = read(name).split('\n').filter((line) => /^\w/.test(line));
    assert.ok(wanted.length > 0, name);
    for (const line of wanted) {
      const [, pack, version] = /^([\w-]+)(?:\[\w+\])?==([\d.]+)$/.exec(line) ?? assert.fail(line);
      assert.ok(lock.includes(`\n${pack.toLowerCase()}==${version} `), `${name}: ${line}`);
    }
    for (const entry of lock.split(/^(?=\w)/m).slice(1)) {
      assert.match(entry, /^[\w-]+==[\w.]+ [^]*--hash=sha256:[0-9a-f]{64}/, name);
    }
  }
});

const NPM_LOCKS = [
  'package-lock.json',
  ...filesBelow(['scripts/locks'], /-\w+\.json$/),
  ...filesBelow(['examples'], /(?<!node_modules.*)\bpackage-lock\.json$/),
];

test('every package of a lock for npm has its integrity, and comes from the registry of the user', () => {
  assert.ok(NPM_LOCKS.length > 3);
  for (const name of NPM_LOCKS) {
    const { '': own, ...packages } = JSON.parse(read(name)).packages;
    for (const [folder, { integrity, inBundle, link, resolved, version }] of Object.entries(packages)) {
      if (!inBundle) assert.match(`${integrity}`, /^sha512-/, `${name}: ${folder}`);
      assert.deepEqual([resolved, link], [undefined, undefined], `${name}: ${folder}`);
      assert.match(version, /^\d+\.\d+\.\d+(?:-[\w.-]+)?$/, `${name}: ${folder}`);
    }
  }
});

test('a lock for npm is that of the manifest beside it', () => {
  for (const name of NPM_LOCKS.filter((each) => /package-lock\.json$/.test(each))) {
    const manifest = JSON.parse(read(path.join(path.dirname(name), 'package.json')));
    const { packages } = JSON.parse(read(name));
    for (const kind of ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies']) {
      assert.deepEqual(packages[''][kind], manifest[kind], `${name}: ${kind}`);
    }
    assert.equal(packages[''].version, manifest.version, name);
  }
});

test('a lock for Python has nothing but versions and hashes, and one for Rust names crates.io only', () => {
  const line = /^(?: *#.*|[\w-]+==[\w.]+(?: ; [\w .'"<>=!()]+)? \\| {4}--hash=sha256:[0-9a-f]{64}(?: \\)?|)$/;
  const python = filesBelow(['scripts/locks'], /\.txt$/);
  assert.ok(python.length > 3);
  for (const name of python) {
    assert.deepEqual(read(name).split('\n').filter((each) => !line.test(each)), [], name);
  }
  const rust = ['Cargo.lock', ...filesBelow(['fuzz', 'scripts/locks'], /Cargo\.lock$/)];
  assert.ok(rust.length > 3);
  for (const name of rust) {
    for (const entry of read(name).split('[[package]]\n').slice(1)) {
      const [, source] = /^source = "(.*)"$/m.exec(entry) ?? [];
      const expected = [undefined, 'registry+https://github.com/rust-lang/crates.io-index'];
      assert.ok(expected.includes(source), `${name}: ${source}`);
      assert.equal(source !== undefined, /^checksum = "[0-9a-f]{64}"$/m.test(entry), `${name}: ${entry}`);
    }
  }
});

test('every tarball that a script fetches for another platform is in the lock', () => {
  const locked = JSON.parse(fs.readFileSync(path.join(LOCKS, 'tarballs.json'), 'utf8'));
  const fetched = filesBelow(['scripts'], /\.mjs$/).flatMap((name) =>
    [...read(name).matchAll(/(?:npmPackage|fetchPackage)\('([^']+)'/g)].map(([, spec]) => spec),
  );
  assert.deepEqual(fetched.sort(), Object.keys(locked));
});

test('a tarball without a lock, and a file with another hash, are refused', async (t) => {
  const { fetchPackage, requireIntegrity } = await import('../../scripts/lib/locked.mjs');
  const project = new Project();
  t.after(() => project.remove());
  await assert.rejects(fetchPackage('left-pad@1.3.0', project.folder), /is not in scripts\/locks/);
  const file = project.write('some.tgz', 'text');
  // From `printf text | openssl dgst -sha512 -binary | base64`.
  const right =
    'sha512-6vLBJ0LLjBYby9hLAyubuYmZojKCVCZyygHMbt0mj33OmYetayvHkwVjT4nZC5AQK81ZpX5xNbjjzrk8BZcRew==';
  requireIntegrity(file, right);
  assert.throws(() => requireIntegrity(file, right.replace('6v', '7v')), /is not the file of the lock/);
  assert.ok(!fs.existsSync(file));
});

test('a download that was stopped is made anew', async (t) => {
  const { fetchPackage } = await import('../../scripts/lib/locked.mjs');
  const [spec] = Object.keys(JSON.parse(fs.readFileSync(path.join(LOCKS, 'tarballs.json')))).filter((each) => /^npm@/.test(each));
  const project = new Project();
  t.after(() => project.remove());
  project.write(path.join(`${spec}.partial`, 'package', 'package.json'), '{}');
  const folder = await fetchPackage(spec, project.folder);
  const { name, version } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
  assert.equal(`${name}@${version}`, spec);
  assert.deepEqual(fs.readdirSync(project.folder).sort(), [spec, 'package.json'].sort());
});

test('only scripts/lib/locked.mjs calls pip, which takes wheels with a known hash only', () => {
  const scripts = filesBelow(['scripts', 'benches'], /\.mjs$/);
  const callers = scripts.filter((name) => read(name).includes("'pip'"));
  assert.deepEqual(callers, [path.join('scripts', 'lib', 'locked.mjs')]);
  assert.match(read('scripts/lib/locked.mjs'), /'--require-hashes', '--only-binary', ':all:', '--no-deps'/);
});

test('the programs that cargo builds from the registry have exact versions and checksums', () => {
  const scripts = filesBelow(['scripts'], /\.mjs$/);
  const installers = scripts.filter((name) => /'cargo', \['install'/.test(read(name)));
  assert.deepEqual(installers, [path.join('scripts', 'lib', 'locked-crate.mjs')]);
  assert.match(read(installers[0]), /'vendor', '--quiet', '--locked'[^]*'--quiet', '--locked', '--no-track'/);
  const used = scripts.flatMap((name) => [...read(name).matchAll(/installCrate\('(\w+)'\)/g)].map(([, crate]) => crate));
  const locked = fs.readdirSync(LOCKS, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  assert.deepEqual(used.sort(), locked.map(({ name }) => name).sort());
  for (const name of used) {
    const manifest = read(`scripts/locks/${name}/Cargo.toml`);
    const [, version] = new RegExp(`^cargo-${name} = "=([\\d.]+)"$`, 'm').exec(manifest);
    const crates = read(`scripts/locks/${name}/Cargo.lock`).split('[[package]]\n').slice(1);
    assert.ok(crates.some((entry) => entry.startsWith(`name = "cargo-${name}"\nversion = "${version}"\n`)));
    const without = crates.filter((entry) => !/^checksum = "[0-9a-f]{64}"$/m.test(entry));
    assert.deepEqual(without.map((entry) => /name = "(.+)"/.exec(entry)[1]), [`nodesec-${name}`]);
  }
});

test('every target has the package that its triple stands for', async () => {
  const { platformOf } = await import('../../scripts/lib/toolchain.mjs');
  const { targets } = JSON.parse(read('package.json')).napi;
  const packages = fs.readdirSync(path.join(checkout, 'npm')).sort();
  assert.deepEqual(targets.map(platformOf).sort(), packages);
  assert.equal(platformOf('aarch64-unknown-linux-musl'), 'linux-arm64-musl');
  assert.equal(platformOf('x86_64-pc-windows-msvc'), 'win32-x64-msvc');
});

test('the runbook names the npm of the lock, and every package', () => {
  const runbook = read('docs/releasing.md');
  const locked = JSON.parse(fs.readFileSync(path.join(LOCKS, 'tarballs.json'), 'utf8'));
  const used = [...runbook.matchAll(/npx (npm@\S+)/g)].map(([, spec]) => spec);
  assert.ok(used.length > 3);
  assert.deepEqual(used.filter((spec) => !Object.hasOwn(locked, spec)), []);
  const lists = [...runbook.matchAll(/for name in ([^;]+);/g)].map(([, text]) => text.split(/[\s\\]+/));
  assert.equal(lists.length, 2);
  const names = MANIFESTS.map((name) => JSON.parse(read(name)).name.replace('@nodesec/', ''));
  for (const list of lists) assert.deepEqual(list.sort(), [...names].sort());
});
