'use strict';

// Jest runs each file in a context of its own, loads the façade anew after `resetModules`, and can
// fake the time.

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

/** A suite with fake timers, which native code does not see but for the option `clock`. */
const FAKE_TIMERS = `
const { JwtIssuer, JwtKey, JwtVerifier, RateLimiter } = require('@nodesec/native');

test('the clock is that of the fake timers', async () => {
  const keys = await JwtKey.generate('EdDSA');
  jest.useFakeTimers({ now: new Date('2031-01-01T00:00:00Z') });
  const clock = () => new Date();
  const issuer = new JwtIssuer({ keys, issuer: 'id', expiresIn: '15m', clock });
  const verifier = new JwtVerifier({ keys, issuer: 'id', audience: false, clock });
  const limiter = new RateLimiter({ limit: 1, windowMs: 60_000, clock });
  const token = issuer.sign({});
  expect(verifier.verify(token).iat).toBe(Date.now() / 1000);
  expect([limiter.check('a'), limiter.check('a')]).toEqual([true, false]);
  jest.advanceTimersByTime(15 * 60_000);
  expect(verifier.tryVerify(token).code).toBe('ERR_JWT_EXPIRED');
  expect(limiter.check('a')).toBe(true);
});
`;

for (const [what, text] of [
  ['copies of the package work together and throw errors of their own', suite('@nodesec/native')],
  ['copies of the checkout work together and throw errors of their own', suite(checkout)],
  ['a clock follows fake timers', FAKE_TIMERS],
]) {
  test(`in Jest, ${what}`, async (t) => {
    const jest = tool(t, 'jest', 'bin/jest.js');
    if (jest === undefined) return;
    const project = new Project();
    t.after(() => project.remove());
    project.addRoot();
    await project.addPlatform();
    project.write('jest.config.json', '{}');
    project.write('suite.test.js', text);
    const options = { cwd: project.folder, encoding: 'utf8' };
    const args = [jest, '--ci', '--runInBand', '--config', 'jest.config.json'];
    const { status, stderr } = spawnSync(process.execPath, args, options);
    assert.equal(status, 0, stderr);
    assert.match(stderr, /1 passed, 1 total/);
  });
}
