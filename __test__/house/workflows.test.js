'use strict';

// The workflows of GitHub, and the rules that their checks keep.

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { after, test } = require('node:test');

const { Project, checkout } = require('../helpers/project.js');

const project = new Project();
after(() => project.remove());

const FOLDER = path.join(checkout, '.github', 'workflows');
const WORKFLOWS = fs.readdirSync(FOLDER).map((name) => fs.readFileSync(path.join(FOLDER, name), 'utf8'));
const RELEASE = fs.readFileSync(path.join(FOLDER, 'release.yml'), 'utf8');

/** The text of a job of the release. */
const job = (name) => new RegExp(`^  ${name}:\\n((?:    .*\\n|\\n)+)`, 'm').exec(RELEASE)[1];

/** Runs the checks on a workflow. */
function check(text) {
  project.write('.github/workflows/some.yml', text);
  const script = path.join(checkout, 'scripts', 'workflows.mjs');
  const { status, stdout, stderr } = project.node(script, path.join(project.folder, '.github'));
  return { status, printed: stdout + stderr };
}

const SOUND = `name: some
on: push
permissions: {}
concurrency: { group: some, cancel-in-progress: true }
jobs:
  some:
    name: some
    runs-on: ubuntu-24.04
    steps:
      - name: Some
        run: 'true'
`;

test('the checks find nothing in a sound workflow, and name the faults of others', () => {
  assert.match(check(SOUND).printed, /actionlint and zizmor found nothing/);
  for (const [from, to, expected] of [
    ['runs-on: ubuntu-24.04', 'runs-on: ubuntu-24', /some\.yml:8:14: label "ubuntu-24" is unknown/],
    ['steps:', 'needs: other\n    steps:', /needs job "other" which does not exist/],
    ["run: 'true'", `run: echo $${'{{ github.event.issue.title }}'}`, /template-injection/],
    ["run: 'true'", 'uses: actions/checkout@v7', /unpinned-uses/],
    ['permissions: {}', 'permissions: write-all', /excessive-permissions/],
  ]) {
    const { status, printed } = check(SOUND.replace(from, to));
    assert.equal(status, 1, to);
    assert.match(printed, expected);
  }
});

/** The commits of the versions, as the actions' own repositories name them. */
const ACTIONS = {
  'actions/attest-build-provenance': 'a2bbfa25375fe432b6a289bc6b6cd05ecd0c4c32 # v4.1.0',
  'actions/checkout': '3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1',
  'actions/download-artifact': '3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c # v8.0.1',
  'actions/setup-node': '820762786026740c76f36085b0efc47a31fe5020 # v7.0.0',
  'actions/upload-artifact': '043fb46d1a93c77aae656e7c1c64a875d1fc6a0a # v7.0.1',
};

test('every action is named by its commit and version', () => {
  const used = WORKFLOWS.flatMap((text) => [...text.matchAll(/uses: (.*)/g)].map(([, name]) => name));
  assert.ok(used.length > 10);
  const known = Object.entries(ACTIONS).map(([name, commit]) => `${name}@${commit}`);
  assert.deepEqual([...new Set(used)].sort(), known);
});

test('a release builds every target, and publishes only after the tests and the gate', () => {
  const { targets } = require(path.join(checkout, 'package.json')).napi;
  const built = [...job('build').matchAll(/triple: ([\w-]+), platform: ([\w-]+)/g)];
  assert.deepEqual(built.map(([, triple]) => triple).sort(), [...targets].sort());
  const platforms = fs.readdirSync(path.join(checkout, 'npm'));
  assert.deepEqual(built.map(([, , platform]) => platform).sort(), platforms.sort());
  assert.match(job('gate'), /needs: \[pack, test, test-containers, rebuild\]/);
  const rebuilt = [...job('rebuild').matchAll(/triple: ([\w-]+), platform: ([\w-]+)/g)];
  const linux = built.filter(([, triple]) => triple.includes('linux'));
  assert.deepEqual(rebuilt.map(([, ...pair]) => pair), linux.map(([, ...pair]) => pair));
  assert.match(job('publish'), /needs: \[pack, gate\]/);
  assert.match(job('publish'), /environment: release/);
});

test('only the job that publishes may ask npm for a token, and no secret is in a workflow', () => {
  for (const text of WORKFLOWS) {
    assert.match(text, /^permissions: \{\}$/m);
    assert.doesNotMatch(text, /secrets\.|NPM_TOKEN|contents: write/);
  }
  for (const name of ['test', 'test-containers', 'rebuild', 'gate']) {
    assert.doesNotMatch(job(name), /id-token/);
  }
});

test('the update bot waits seven days for each kind of package', () => {
  const text = fs.readFileSync(path.join(checkout, '.github', 'dependabot.yml'), 'utf8');
  const updates = text.split('package-ecosystem: ').slice(1);
  const kinds = ['cargo', 'npm', 'docker', 'github-actions'];
  assert.deepEqual(updates.map((each) => each.split('\n')[0]), kinds);
  for (const each of updates) assert.match(each, /cooldown: \{ default-days: 7 \}/);
  const tracked = execFileSync('git', ['ls-files'], { cwd: checkout, encoding: 'utf8' }).split('\n');
  const files = [/(?:^|\/)Cargo\.lock$/, /(?:^|\/)package-lock\.json$/, /(?:^|\/)Dockerfile$/];
  for (const [index, file] of files.entries()) {
    const folders = tracked.filter((name) => file.test(name)).map((name) => path.posix.join('/', path.posix.dirname(name)));
    const [, listed] = /director(?:y|ies): \[?([^\]\n]+)/.exec(updates[index]);
    assert.deepEqual(listed.split(', ').sort(), folders.sort(), kinds[index]);
  }
});

test('each script of a workflow is there', () => {
  const called = WORKFLOWS.flatMap((text) => [...text.matchAll(/\bnode (scripts\/\S+?\.mjs)/g)].map(([, file]) => file));
  assert.ok(called.length > 8);
  assert.deepEqual(called.filter((file) => !fs.existsSync(path.join(checkout, file))), []);
});

test('cargo-deny looks at the targets that are released', () => {
  const { targets } = require(path.join(checkout, 'package.json')).napi;
  const text = fs.readFileSync(path.join(checkout, 'deny.toml'), 'utf8');
  const [, listed] = /^targets = \[([^\]]+)\]/m.exec(text);
  assert.deepEqual([...listed.matchAll(/"(.+)"/g)].map(([, name]) => name), [...targets].sort());
});
