'use strict';

// The commands of scripts/: wrong arguments end them before they change anything, and a signal ends
// the programs that they run, too.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { after, test } = require('node:test');
const { setTimeout: sleep } = require('node:timers/promises');
const { pathToFileURL } = require('node:url');

const { Project, checkout } = require('../helpers/project.js');

const project = new Project();
after(() => project.remove());

const WRONG = [
  ['bundles', 'nothing'],
  ['cross', 'nothing'],
  ['ctgrind', 'more'],
  ['footprint', 'a', 'b'],
  ['footprint', '/nothing'],
  ['fuzz', 'nothing'],
  ['fuzz', '--seconds', 'x'],
  ['fuzz', '--seconds', '-1'],
  ['fuzz', '--seconds=-1'],
  ['fuzz', '--seconds', '0'],
  ['fuzz', '--seconds', '1e3'],
  ['fuzz', 'json', '--input', '/nothing'],
  ['fuzz', '--input', __filename],
  ['fuzz-api', '--calls', 'x'],
  ['fuzz-api', '--calls=-1'],
  ['fuzz-api', '--calls', '0'],
  ['fuzz-api', '--first', '1.5'],
  ['fuzz-api', '--node', '../x'],
  ['fuzz-api', '--seed', ''],
  ['fuzz-api', '--threads', 'NaN'],
  ['fuzz-api', 'more'],
  ['gate', '/nothing'],
  ['mutants', 'nothing'],
  ['mutants', '--jobs', '4'],
  ['pack', '--relaese'],
  ['publish', '/nothing'],
  ['redis', 'nothing'],
  ['releasable', 'nothing'],
  ['runtimes', 'node1'],
  ['runtimes', '--suite', 'nothing'],
  ['smoke', '/nothing'],
  ['soak', '--minutes', 'x'],
  ['soak', '--minutes', '0'],
  ['soak', '--minutes=-1'],
  ['suites', '/nothing'],
  ['verify-build', '--triple', 'nothing'],
  ['verify-build', '/nothing'],
];

for (const [script, ...args] of WRONG) {
  test(`${script} ${args.join(' ')} is refused in plain words, and leaves no file`, async () => {
    const temporary = fs.mkdtempSync(path.join(project.folder, 'tmp-'));
    const file = path.join(checkout, 'scripts', `${script}.mjs`);
    const env = { ...process.env, TMPDIR: temporary, TEMP: temporary, TMP: temporary };
    const child = spawn(process.execPath, [file, ...args], { cwd: project.folder, env });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
    const [status] = await once(child, 'close');
    assert.deepEqual([status, stdout], [1, ''], stderr);
    assert.ok(stderr !== '' && !/^ {4}at |Error/m.test(stderr), stderr);
    assert.deepEqual(fs.readdirSync(temporary), []);
  });
}

/** A command that runs a program, which prints its process, and then clears up. */
const COMMAND = `
import { rmSync, writeFileSync } from 'node:fs';
import { main, run } from '${pathToFileURL(path.join(checkout, 'scripts', 'lib', 'run.mjs'))}';
await main(async () => {
  writeFileSync('mess', '');
  try {
    await run(process.execPath, ['--eval', 'console.log(process.pid); setInterval(() => {}, 1000)'])
      .catch(() => {});
    await run(process.execPath, ['--eval', 'console.log("another program")']);
  } finally {
    rmSync('mess');
  }
});
`;
const SIGNALS = { SIGINT: 130, SIGTERM: 143 };
const UNIX = { skip: process.platform === 'win32' && 'Windows has no signals' };

for (const [signal, expected] of Object.entries(SIGNALS)) {
  test(`${signal} ends a command and the program that it runs, and the command clears up`, UNIX, async () => {
    const file = project.write('command.mjs', COMMAND);
    const child = spawn(process.execPath, [file], { cwd: project.folder });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
    while (!stdout.includes('\n')) await sleep(10);
    assert.ok(fs.existsSync(path.join(project.folder, 'mess')));
    child.kill(signal);
    const [status] = await once(child, 'close');
    assert.equal(status, expected);
    const [pid, ...more] = stdout.trim().split('\n');
    assert.deepEqual(more, [], 'no other program is started');
    assert.throws(() => process.kill(Number(pid), 0), { code: 'ESRCH' });
    assert.ok(!fs.existsSync(path.join(project.folder, 'mess')));
  });
}
