'use strict';

// The workflows of GitHub, and the rules that their checks keep.

const assert = require('node:assert/strict');
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

test('every action is named by its commit and version', () => {
  const used = WORKFLOWS.flatMap((text) => [...text.matchAll(/uses: (.*)/g)].map(([, name]) => name));
  assert.ok(used.length > 10);
  for (const name of used) assert.match(name, /^actions\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
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
  assert.deepEqual(updates.map((each) => each.split('\n')[0]), ['cargo', 'npm', 'github-actions']);
  for (const each of updates) assert.match(each, /cooldown: \{ default-days: 7 \}/);
});

test('cargo-deny looks at the targets that are released', () => {
  const { targets } = require(path.join(checkout, 'package.json')).napi;
  const text = fs.readFileSync(path.join(checkout, 'deny.toml'), 'utf8');
  const [, listed] = /^targets = \[([^\]]+)\]/m.exec(text);
  assert.deepEqual([...listed.matchAll(/"(.+)"/g)].map(([, name]) => name), [...targets].sort());
});
