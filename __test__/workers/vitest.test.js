'use strict';

// Vitest runs each file in a worker thread or in a child process, and loads the package as an ES
// module through its own module runner, or as CommonJS.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const { readFileSync } = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

const { node, tool } = require('../helpers/peers.js');
const { Project } = require('../helpers/project.js');

/** A suite that loads the package three times and has the copies work together. */
const SUITE = `
import { createRequire } from 'node:module';
import { isMainThread } from 'node:worker_threads';
import { expect, test, vi } from 'vitest';
import * as imported from '@nodesec/native';

test('the copies work together and throw errors of their own', async () => {
  expect(isMainThread).toBe(process.env.POOL === 'forks');
  const required = createRequire(import.meta.url)('@nodesec/native');
  vi.resetModules();
  const again = await import('@nodesec/native');
  for (const each of [imported, required, again]) {
    expect(() => each.randomToken(-1)).toThrow(each.ArgumentError);
    await expect(each.verify('no digest', 'password')).rejects.toThrow(each.PasswordError);
  }
  const keys = new imported.KeyRing({ alg: 'ES256' });
  await keys.rotate();
  const token = new required.JwtIssuer({ keys, expiresIn: 60 }).sign({ sub: 'ada' });
  const verifier = new again.JwtVerifier({ keys, issuer: false, audience: false });
  expect(verifier.verify(token).sub).toBe('ada');
});

test('a clock follows fake timers', async () => {
  const keys = await imported.JwtKey.generate('EdDSA');
  vi.useFakeTimers({ now: new Date('2031-01-01T00:00:00Z') });
  const clock = () => new Date();
  const issuer = new imported.JwtIssuer({ keys, issuer: 'id', expiresIn: '15m', clock });
  const verifier = new imported.JwtVerifier({ keys, issuer: 'id', audience: false, clock });
  const token = issuer.sign({});
  expect(verifier.verify(token).iat).toBe(Date.now() / 1000);
  vi.advanceTimersByTime(15 * 60_000);
  expect(verifier.tryVerify(token).code).toBe('ERR_JWT_EXPIRED');
  vi.useRealTimers();
});
`;

for (const pool of ['threads', 'forks']) {
  test(`in Vitest's ${pool}, copies of the package work together in files at once`, async (t) => {
    const [vitest, node24] = [tool(t, 'vitest', 'vitest.mjs'), node(t, 24)];
    if (vitest === undefined || node24 === undefined) return;
    const project = new Project();
    t.after(() => project.remove());
    project.addRoot();
    await project.addPlatform();
    for (const name of ['one', 'two', 'three']) project.write(`${name}.test.mjs`, SUITE);
    const args = [vitest, 'run', `--pool=${pool}`, '--maxWorkers=2', '--reporter=json', '--outputFile=found.json'];
    const env = { ...process.env, POOL: pool, CI: 'true' };
    const options = { cwd: project.folder, encoding: 'utf8', env };
    const { status, stdout, stderr } = spawnSync(node24, args, options);
    assert.equal(status, 0, stderr + stdout);
    const { numPassedTests, numTotalTests } = JSON.parse(readFileSync(path.join(project.folder, 'found.json')));
    assert.deepEqual([numPassedTests, numTotalTests], [6, 6]);
  });
}
