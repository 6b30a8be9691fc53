'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, test } = require('node:test');

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
const OUTCOME = { verified: [true, false], subject: 'ada', allowed: [true, false] };

const project = new Project();
const tarballs = path.join(project.folder, 'tarballs');

before(() => {
  const { status, stderr } = project.node(path.join(checkout, 'scripts', 'pack.mjs'), tarballs);
  assert.equal(status, 0, stderr);
  const packed = fs.readdirSync(tarballs).map((name) => path.join(tarballs, name));
  assert.equal(packed.length, 2);
  // The cache is empty and npm is offline, so that npm can use nothing but the tarballs.
  const flags = ['--ignore-scripts', '--offline', '--cache', path.join(project.folder, 'cache')];
  npm('install', ...flags, ...packed);
});
after(() => project.remove());

/** Runs npm in the project, without the variables that an outer npm passes to its scripts. */
function npm(...args) {
  const env = Object.entries(process.env).filter(([name]) => !/^npm_|^INIT_CWD$/i.test(name));
  return execFileSync('npm', args, {
    cwd: project.folder,
    encoding: 'utf8',
    env: Object.fromEntries(env),
    shell: process.platform === 'win32',
  });
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

/** The folder names of the installed packages in the scope. */
function packages() {
  return fs.readdirSync(path.join(project.folder, 'node_modules', '@nodesec')).sort();
}

test('what is installed does its main job as CommonJS', () => {
  const text = `const ${NAMES} = require('@nodesec/native');\n(async () => {${MAIN_JOB}})();`;
  assert.deepEqual(run('job.cjs', text), OUTCOME);
});

test('what is installed does its main job as an ES module', () => {
  assert.deepEqual(run('job.mjs', `import ${NAMES} from '@nodesec/native';${MAIN_JOB}`), OUTCOME);
});

test('import sees every name that require sees', () => {
  const required = run(
    'names.cjs',
    `console.log(JSON.stringify(Object.keys(require('@nodesec/native'))));`,
  );
  const imported = run(
    'names.mjs',
    `import * as all from '@nodesec/native';
     const { default: whole, ...named } = all;
     const own = Object.keys(named).filter((name) => name !== 'module.exports');
     console.log(JSON.stringify({ own, whole: Object.keys(whole) }));`,
  );
  assert.ok(required.length > 0);
  assert.deepEqual(imported.whole, required);
  assert.deepEqual(imported.own, [...required].sort());
});

test('the root package holds the façade, its documentation and nothing else', () => {
  const unexpected = installed('native').filter(
    (name) =>
      !/^(index\.js|index\.d\.ts|package\.json|LICENSE|README\.md|CHANGELOG\.md|SECURITY\.md)$/.test(
        name,
      ) &&
      !/^lib[\\/]([\w-]+[\\/])?[\w-]+\.(js|d\.ts)$/.test(name) &&
      !/^docs[\\/][\w-]+\.md$/.test(name),
  );
  assert.deepEqual(unexpected, []);
});

test('the platform package holds the native part and its licence', () => {
  const [, platform] = packages();
  const binary = `nodesec.${platform.replace('native-', '')}.node`;
  const expected = ['LICENSE', 'README.md', binary, 'package.json'];
  assert.deepEqual(installed(platform).sort(), expected.sort());
});

test('the root asks for each platform package in its own version, and for nothing else', () => {
  const { version, dependencies, optionalDependencies, scripts } = manifest('native');
  assert.equal(dependencies, undefined);
  assert.equal(scripts, undefined);
  const folders = fs.readdirSync(path.join(checkout, 'npm'));
  const expected = folders.map((name) => [`@nodesec/native-${name}`, version]);
  assert.deepEqual(optionalDependencies, Object.fromEntries(expected));
  assert.equal(folders.length, require(path.join(checkout, 'package.json')).napi.targets.length);
});

test('the committed manifest asks for no platform package: a checkout builds its own', () => {
  const { dependencies, optionalDependencies } = require(path.join(checkout, 'package.json'));
  assert.deepEqual([dependencies, optionalDependencies], [undefined, undefined]);
});
