'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, test } = require('node:test');

const { tool } = require('../helpers/peers.js');
const { Project, checkout } = require('../helpers/project.js');

/** Uses a password, a token and a limiter. The same text runs as CommonJS and as an ES module. */
const MAIN_JOB = `
const digest = await hash('correct horse');
const verified = [await verify(digest, 'correct horse'), await verify(digest, 'battery staple')];
const keys = await JwtKey.generate('ES256', { kid: 'a' });
const names = { issuer: 'https://id.example', audience: 'api' };
const token = new JwtIssuer({ keys, ...names, expiresIn: '5m' }).sign({ sub: 'ada' });
const claims = new JwtVerifier({ keys, algorithms: ['ES256'], ...names }).verify(token);
const limiter = new RateLimiter({ limit: 1, windowMs: 60_000 });
const allowed = [limiter.check('ada'), limiter.check('ada')];
console.log(JSON.stringify({ verified, subject: claims.sub, allowed }));
`;
const NAMES = '{ JwtIssuer, JwtKey, JwtVerifier, RateLimiter, hash, verify }';
const JOB = `const ${NAMES} = require('@nodesec/native');\n(async () => {${MAIN_JOB}})();`;
const OUTCOME = { verified: [true, false], subject: 'ada', allowed: [true, false] };
/** The targets that have a platform package. */
const TARGETS = fs.readdirSync(path.join(checkout, 'npm')).sort();

const project = new Project();
const tarballs = path.join(project.folder, 'tarballs');
/** The cache is empty and npm is offline, so that npm can use nothing but the tarballs. */
const OFFLINE = ['--ignore-scripts', '--offline', '--cache', path.join(project.folder, 'cache')];

let startable;
before(async () => {
  ({ startable } = await import('../../scripts/lib/run.mjs'));
  const { status, stderr } = project.node(path.join(checkout, 'scripts', 'pack.mjs'), tarballs);
  assert.equal(status, 0, stderr);
  const names = fs.readdirSync(tarballs).filter((name) => name.endsWith('.tgz'));
  const packed = names.map((name) => path.join(tarballs, name));
  assert.equal(packed.length, 2);
  npm('install', ...OFFLINE, ...packed);
});
after(() => project.remove());

/** Runs npm in the project. */
function npm(...args) {
  npmIn(project.folder, ...args);
}

/** Runs npm, which must not have to be a file that only a shell can start. */
function npmIn(folder, ...args) {
  return runIn(folder, ...startable('npm', args));
}

/** Runs a program, without the variables that an outer npm passes to its scripts. */
function runIn(cwd, command, args) {
  const env = Object.entries(process.env).filter(([name]) => !/^npm_|^INIT_CWD$/i.test(name));
  const options = { cwd, encoding: 'utf8', env: Object.fromEntries(env) };
  return execFileSync(command, args, options);
}

/** Makes a project that depends on the tarballs. Returns its folder and a function that runs. */
function dependent(name) {
  const folder = path.join(project.folder, name);
  const dependencies = {};
  for (const file of fs.readdirSync(tarballs).filter((name) => name.endsWith('.tgz'))) {
    const [, platform = ''] = /native(-[a-z].*)?-\d/.exec(file);
    dependencies[`@nodesec/native${platform}`] = `file:../tarballs/${file}`;
  }
  const manifest = { name, version: '1.0.0', private: true, dependencies };
  project.write(path.join(name, 'package.json'), JSON.stringify(manifest));
  project.write(path.join(name, 'job.cjs'), JOB);
  return { folder, run: (command, ...args) => runIn(folder, command, args) };
}

function run(name, text) {
  const { status, stdout, stderr } = project.node(project.write(name, text));
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}

function installed(name) {
  const folder = path.join(project.folder, 'node_modules', '@nodesec', name);
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
}

function manifest(name) {
  const file = path.join(project.folder, 'node_modules', '@nodesec', name, 'package.json');
  return JSON.parse(fs.readFileSync(file, 'utf8'));
}

/** The frameworks and clients that a service brings itself. */
const FRAMEWORKS = {
  express: '^4.18 || ^5',
  fastify: '^5',
  ioredis: '^5 || ^6',
  iovalkey: '^0.3 || ^0.4',
  redis: '^5.11 || ^6.2',
};

/** The folder names of the installed packages in the scope. */
function packages() {
  return fs.readdirSync(path.join(project.folder, 'node_modules', '@nodesec')).sort();
}

test('the installed package does its main job as CommonJS', () => {
  assert.deepEqual(run('job.cjs', JOB), OUTCOME);
});

test('the installed package does its main job as an ES module', () => {
  assert.deepEqual(run('job.mjs', `import ${NAMES} from '@nodesec/native';${MAIN_JOB}`), OUTCOME);
});

test('npm ci installs the tarballs from a lock file', () => {
  const { folder, run } = dependent('npm-ci');
  npmIn(folder, 'install', '--package-lock-only', ...OFFLINE);
  assert.ok(!fs.existsSync(path.join(folder, 'node_modules')));
  npmIn(folder, 'ci', ...OFFLINE);
  assert.deepEqual(JSON.parse(run(process.execPath, 'job.cjs')), OUTCOME);
});

test('Yarn 1 installs the tarballs, also from a lock file, and asks no registry', (t) => {
  const yarn = tool(t, 'yarn', 'bin/yarn.js');
  if (yarn === undefined) return;
  const { folder, run } = dependent('yarn-1');
  const flags = ['--ignore-scripts', '--offline', '--cache-folder', path.join(folder, 'cache')];
  run(process.execPath, yarn, 'install', ...flags);
  fs.rmSync(path.join(folder, 'node_modules'), { recursive: true });
  run(process.execPath, yarn, 'install', '--frozen-lockfile', ...flags);
  assert.deepEqual(JSON.parse(run(process.execPath, 'job.cjs')), OUTCOME);
});

for (const linker of ['pnp', 'node-modules']) {
  test(`Yarn 4 with its linker ${linker} installs the tarballs and asks no registry`, (t) => {
    const yarn = tool(t, '@yarnpkg/cli-dist', 'bin/yarn.js');
    if (yarn === undefined) return;
    const { run } = dependent(`yarn-4-${linker}`);
    const settings = { nodeLinker: linker, enableNetwork: false, enableTelemetry: false };
    const yaml = Object.entries(settings).map(([name, value]) => `${name}: ${value}\n`);
    project.write(path.join(`yarn-4-${linker}`, '.yarnrc.yml'), `${yaml.join('')}globalFolder: ./yarn\n`);
    project.write(path.join(`yarn-4-${linker}`, 'yarn.lock'), '');
    run(process.execPath, yarn, 'install', '--no-immutable');
    run(process.execPath, yarn, 'install', '--immutable');
    assert.deepEqual(JSON.parse(run(process.execPath, yarn, 'node', 'job.cjs')), OUTCOME);
  });
}

const ENTRIES = ['', '/argon2', '/audit', '/express', '/fastify', '/redis', '/web'];
for (const entry of ENTRIES.map((path) => `@nodesec/native${path}`)) {
  test(`import sees every name that require sees in ${entry}`, () => {
    const required = run(
      'names.cjs',
      `console.log(JSON.stringify(Object.keys(require('${entry}'))));`,
    );
    const imported = run(
      'names.mjs',
      `import * as all from '${entry}';
       const { default: whole, ...named } = all;
       const own = Object.keys(named).filter((name) => name !== 'module.exports');
       console.log(JSON.stringify({ own, whole: Object.keys(whole) }));`,
    );
    assert.ok(required.length > 0);
    assert.deepEqual(imported.whole, required);
    assert.deepEqual(imported.own, [...required].sort());
  });
}

test('the root package holds the façade, its documentation and nothing else', () => {
  const unexpected = installed('native').filter(
    (name) =>
      !/^(?:index|argon2|audit|express(?:[\\/]augment)?|fastify|redis|web)\.(?:js|d\.ts)$/.test(name) &&
      !/^(?:package\.json|LICENSE|README\.md|CHANGELOG\.md|SECURITY\.md)$/.test(name) &&
      name !== 'sbom.cdx.json' &&
      !/^lib[\\/]([\w-]+[\\/])?[\w-]+\.(js|d\.ts)$/.test(name) &&
      !/^docs[\\/][\w-]+\.md$/.test(name),
  );
  assert.deepEqual(unexpected, []);
});

test('the platform package holds the native part and its licence', () => {
  const [, platform] = packages();
  const binary = `nodesec.${platform.replace('native-', '')}.node`;
  const expected = ['LICENSE', 'README.md', binary, 'package.json', 'sbom.cdx.json'];
  assert.deepEqual(installed(platform).sort(), expected.sort());
});

test('each link of the packed pages leads to a packed file or to the repository', () => {
  const folder = path.join(project.folder, 'node_modules', '@nodesec', 'native');
  const { url } = manifest('native').repository;
  const web = new RegExp(`^${url.replace('git+', '').replace('.git', '')}/(?:blob|tree)/HEAD/(.+)$`);
  const pages = installed('native').filter((name) => name.endsWith('.md'));
  const links = pages.flatMap((page) => {
    const text = fs.readFileSync(path.join(folder, page), 'utf8');
    const prose = text.replaceAll(/^ *(```|~~~)[^]*?^ *\1$|`[^`\n]*`/gm, '');
    return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => ({ page, target }));
  });
  const dead = links.filter(({ page, target }) => {
    const file = web.exec(target)?.[1];
    if (file !== undefined) return !fs.existsSync(path.join(checkout, file));
    if (target.startsWith('https://') || target.startsWith('#')) return false;
    return !fs.existsSync(path.join(folder, path.dirname(page), target.replace(/#.*/, '')));
  });
  assert.deepEqual(dead, []);
  assert.ok(links.some(({ target }) => web.test(target)));
});

test('tarballs to try out bring their platform package themselves, and ask for no other', () => {
  const { version, dependencies, optionalDependencies, ...rest } = manifest('native');
  assert.deepEqual([dependencies, optionalDependencies, rest.scripts], [undefined, undefined, undefined]);
  const [, platform] = packages();
  assert.deepEqual(rest.peerDependencies, { ...FRAMEWORKS, [`@nodesec/${platform}`]: version });
  const names = Object.keys(rest.peerDependencies);
  const optional = names.map((name) => [name, { optional: true }]);
  assert.deepEqual(rest.peerDependenciesMeta, Object.fromEntries(optional));
});

test('a release asks for each platform package in its own version, and for nothing else', async () => {
  const { packedManifest } = await import('../../scripts/lib/pack.mjs');
  const release = packedManifest(TARGETS, { release: true });
  const { version, dependencies, peerDependencies, optionalDependencies, scripts } = release;
  assert.deepEqual([dependencies, peerDependencies, scripts], [undefined, FRAMEWORKS, undefined]);
  const expected = TARGETS.map((name) => [`@nodesec/native-${name}`, version]);
  assert.deepEqual(optionalDependencies, Object.fromEntries(expected));
  assert.equal(TARGETS.length, require(path.join(checkout, 'package.json')).napi.targets.length);
});

test('a release is not packed while a native part is missing', () => {
  const folder = path.join(project.folder, 'release');
  const { status, stderr } = project.node(path.join(checkout, 'scripts', 'pack.mjs'), '--release', folder);
  assert.equal(status, 1);
  assert.match(stderr, /there is no native part for .*win32-arm64-msvc/);
  assert.ok(!fs.existsSync(folder));
});

test('each target is required by its literal name: tracers and bundlers see no other', () => {
  const text = fs.readFileSync(path.join(checkout, 'lib', 'load.js'), 'utf8');
  const names = [...text.matchAll(/return require\('@nodesec\/native-(.*)'\);/g)];
  assert.deepEqual(names.map(([, target]) => target), TARGETS);
});

test('the committed manifest asks for no platform package: a checkout builds its own', () => {
  const { dependencies, optionalDependencies } = require(path.join(checkout, 'package.json'));
  assert.deepEqual([dependencies, optionalDependencies], [undefined, undefined]);
});
