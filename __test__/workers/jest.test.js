'use strict';

// Jest runs each file in a context of its own and loads the façade anew after `resetModules`.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const { test } = require('node:test');

const { tool } = require('../helpers/peers.js');
const { Project, checkout } = require('../helpers/project.js');

/** A suite over three copies of the façade that is found at `place`. */
const suite = (place) => `
test('the copies work together and throw errors of their own', async () => {
  const first = require(${JSON.stringify(place)});
  jest.resetModules();
  const second = require(${JSON.stringify(place)});
  let third;
  jest.isolateModules(() => {
    third = require(${JSON.stringify(place)});
  });
  expect(new Set([first, second, third]).size).toBe(3);
  for (const each of [first, second, third]) {
    expect(() => each.randomToken(-1)).toThrow(each.ArgumentError);
    await expect(each.verify('no digest', 'password')).rejects.toThrow(each.PasswordError);
  }
  const keys = new first.KeyRing({ alg: 'ES256' });
  await keys.rotate();
  const remote = new second.RemoteJwks('https://id.example/jwks', {
    fetch: async () => new Response(keys.jwks().body),
  });
  const token = new third.JwtIssuer({ keys, expiresIn: 60 }).sign({ sub: 'ada' });
  const verifier = new first.JwtVerifier({ keys: remote, issuer: false, audience: false });
  expect((await verifier.verifyAsync(token)).sub).toBe('ada');
});
`;

for (const [name, place] of [['package', '@nodesec/native'], ['checkout', checkout]]) {
  test(`in Jest, copies of the ${name} work together and throw errors of their own`, async (t) => {
    const jest = tool(t, 'jest', 'bin/jest.js');
    if (jest === undefined) return;
    const project = new Project();
    t.after(() => project.remove());
    project.addRoot();
    await project.addPlatform();
    project.write('jest.config.json', '{}');
    project.write('copies.test.js', suite(place));
    const options = { cwd: project.folder, encoding: 'utf8' };
    const args = [jest, '--ci', '--runInBand', '--config', 'jest.config.json'];
    const { status, stderr } = spawnSync(process.execPath, args, options);
    assert.equal(status, 0, stderr);
    assert.match(stderr, /1 passed, 1 total/);
  });
}
