'use strict';

// The example service over real HTTP: normal use.

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const { once } = require('node:events');
const { readdirSync, readFileSync, rmSync, statSync, writeFileSync } = require('node:fs');
const { request } = require('node:http');
const path = require('node:path');
const test = require('node:test');
const { promisify } = require('node:util');

const { hash, parseHash, SecretBuffer, unsafeDecode } = require('@nodesec/native');

const { createSecurity } = require('../../examples/auth-service/security.js');
const { openUsers } = require('../../examples/auth-service/users.js');
const { EXAMPLES, dataDirectory, start } = require('../helpers/auth-service.js');

const ADA = { username: 'ada', password: 'correct horse battery' };
const WRONG = { ...ADA, password: 'incorrect horse battery' };

for (const example of EXAMPLES) {
  test(`${example}: register, log in, and see the own record but no digest`, async (t) => {
    const service = await start(t, { example });
    const registered = await service.post('/register', { ...ADA, username: 'Ada' });
    assert.equal(registered.status, 201);
    const { id, createdAt } = registered.body;
    assert.deepEqual(registered.body, { id, username: 'ada', role: 'member', createdAt });

    const again = await service.post('/register', { ...ADA, password: 'another password' });
    assert.deepEqual([again.status, again.body], [409, { error: 'username_taken' }]);

    const login = await service.post('/login', ADA);
    assert.equal(login.status, 200);
    assert.equal(login.headers.get('cache-control'), 'no-store');
    assert.equal(login.body.expiresIn, 300);
    const me = await service.me(login.body.accessToken);
    assert.deepEqual([me.status, me.body], [200, registered.body]);

    const { header, claims } = unsafeDecode(login.body.accessToken);
    assert.deepEqual([header.alg, header.typ], ['EdDSA', 'at+jwt']);
    assert.deepEqual([claims.sub, claims.sid, claims.name], [id, login.body.sessionId, 'ada']);
    assert.equal(claims.exp - claims.iat, 300);
  });

  test(`${example}: of two registrations of one name at once, one succeeds`, async (t) => {
    const service = await start(t, { example });
    const passwords = ['the first password', 'the second password', 'the third password'];
    const answers = await Promise.all(
      passwords.map((password) => service.post('/register', { ...ADA, password })),
    );
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 409, 409]);
    const winner = passwords[answers.findIndex(({ status }) => status === 201)];
    const logins = passwords.map((password) => service.post('/login', { ...ADA, password }));
    for (const [index, { status }] of (await Promise.all(logins)).entries()) {
      assert.equal(status, passwords[index] === winner ? 200 : 401);
    }
  });

  test(`${example}: an unknown user and a wrong password are answered alike`, async (t) => {
    const service = await start(t, { example });
    await service.post('/register', ADA);
    const wrong = await service.post('/login', WRONG);
    const unknown = await service.post('/login', { ...WRONG, username: 'nobody' });
    assert.deepEqual([wrong.status, wrong.body], [401, { error: 'invalid_credentials' }]);
    assert.deepEqual([unknown.status, unknown.body], [wrong.status, wrong.body]);
    const names = ({ headers }) => [...headers.keys()];
    assert.deepEqual(names(unknown), names(wrong));
  });

  test(`${example}: refresh tokens rotate, and a used-up one ends the session`, async (t) => {
    const service = await start(t, { example });
    await service.post('/register', ADA);
    const first = await service.login(ADA);
    const other = await service.login(ADA);

    const second = await service.refresh(first.refreshToken);
    assert.deepEqual([second.status, second.body.status], [200, 'rotated']);
    assert.notEqual(second.body.refreshToken, first.refreshToken);
    assert.equal(second.body.sessionId, first.sessionId);
    const again = await service.refresh(first.refreshToken);
    assert.deepEqual([again.status, again.body.status], [200, 'replayed']);
    assert.equal(again.body.refreshToken, second.body.refreshToken);
    const third = await service.refresh(second.body.refreshToken);
    assert.equal((await service.me(third.body.accessToken)).status, 200);

    const reuse = await service.refresh(first.refreshToken);
    assert.deepEqual([reuse.status, reuse.body], [401, { error: 'refresh_token_reused' }]);
    assert.match(service.log(), /used-up refresh token/);
    for (const { body } of [second, again, third]) {
      const { status, body: answer } = await service.refresh(body.refreshToken);
      assert.deepEqual([status, answer], [401, { error: 'refresh_token_unknown' }]);
      assert.equal((await service.me(body.accessToken)).status, 401);
    }
    assert.equal((await service.me(other.accessToken)).status, 200, 'another session goes on');
  });

  test(`${example}: a role that is changed meanwhile is in the tokens from the next refresh on`, async (t) => {
    const data = dataDirectory(t);
    const service = await start(t, { data, example });
    await service.post('/register', ADA);
    const first = await service.login(ADA);
    const role = path.join(__dirname, '../../examples/auth-service/role.js');
    await promisify(execFile)(process.execPath, [role, data, 'ada', 'admin']);
    const second = await service.refresh(first.refreshToken);
    assert.equal(second.body.status, 'rotated');
    const roles = [first, second.body].map(({ accessToken }) => unsafeDecode(accessToken).claims.role);
    assert.deepEqual(roles, ['member', 'admin']);
    assert.equal((await service.me(second.body.accessToken)).body.role, 'admin');
    await assert.rejects(promisify(execFile)(process.execPath, [role, data, 'nobody', 'admin']), /no user nobody/);
  });

  test(`${example}: of many refreshes with one token at once, one rotates, all get its successor`, async (t) => {
    const service = await start(t, { example });
    await service.post('/register', ADA);
    const { refreshToken } = await service.login(ADA);
    const refreshes = Array.from({ length: 12 }, () => service.refresh(refreshToken));
    const answers = await Promise.all(refreshes);
    const statuses = answers.map(({ body }) => body.status).sort();
    assert.deepEqual(statuses, [...Array(11).fill('replayed'), 'rotated']);
    assert.equal(new Set(answers.map(({ body }) => body.refreshToken)).size, 1);
    assert.equal((await service.refresh(answers[0].body.refreshToken)).body.status, 'rotated');
  });

  test(`${example}: logout ends one session, logout everywhere all of one user`, async (t) => {
    const service = await start(t, { example });
    const GRACE = { username: 'grace', password: 'nanoseconds of wire' };
    await service.post('/register', ADA);
    await service.post('/register', GRACE);
    // All logins end before the first logout, because a login that ends after it is a new session.
    const [one, two, three] = await Promise.all([1, 2, 3].map(() => service.login(ADA)));
    const grace = await service.login(GRACE);

    const logout = await service.ask('POST', '/logout', { token: one.accessToken });
    assert.deepEqual([logout.status, logout.body], [204, '']);
    assert.equal((await service.me(one.accessToken)).status, 401);
    assert.equal((await service.refresh(one.refreshToken)).status, 401);
    assert.equal((await service.me(two.accessToken)).status, 200);

    const token = two.accessToken;
    assert.equal((await service.ask('POST', '/logout-everywhere', { token })).status, 204);
    for (const pair of [two, three]) {
      assert.equal((await service.me(pair.accessToken)).status, 401);
      assert.equal((await service.refresh(pair.refreshToken)).status, 401);
    }
    assert.equal((await service.me(grace.accessToken)).status, 200);
    const anew = await service.login(ADA);
    assert.equal((await service.me(anew.accessToken)).status, 200, 'a new login is not refused');
  });

  test(`${example}: a user sees their sessions, and has at most ten`, async (t) => {
    const service = await start(t, { example });
    await service.post('/register', ADA);
    const pairs = [];
    for (let at = 0; at < 11; at += 1) {
      pairs.push((await service.post('/login', ADA, { headers: { 'User-Agent': `device ${at}` } })).body);
    }
    const { accessToken: token } = pairs[10];
    const { body } = await service.ask('GET', '/sessions', { token });
    assert.deepEqual(body.map(({ sessionId }) => sessionId), pairs.slice(1).map(({ sessionId }) => sessionId));
    assert.equal(body[0].meta.device, 'device 1');
    assert.equal((await service.me(pairs[0].accessToken)).status, 401);
    assert.equal((await service.refresh(pairs[0].refreshToken)).status, 401);
  });

  test(`${example}: a request under way is answered before the service ends`, async (t) => {
    const data = dataDirectory(t);
    const service = await start(t, { data, example });
    const headers = { 'Content-Type': 'application/json', Expect: '100-continue' };
    const registration = request(`${service.url}/register`, { method: 'POST', headers });
    registration.flushHeaders();
    // The service has received the headers of the request, but not its body.
    await once(registration, 'continue');
    const ended = service.stop();
    registration.end(JSON.stringify(ADA));
    const [answer] = await once(registration, 'response');
    answer.resume();
    assert.equal(answer.statusCode, 201);
    assert.equal(await ended, 0);
    const users = openUsers(data);
    assert.equal(users.get('ada').name, 'ada');
    await users.close();
  });
}

// The rest is in files that both services use.

test('a password is verified even where there is no digest', async (t) => {
  const { close, passwords } = await createSecurity(dataDirectory(t));
  t.after(close);
  const { valid } = await passwords.verifyAndUpdate(undefined, ADA.password);
  assert.equal(valid, false);
  assert.equal(await passwords.verify(await passwords.hash(ADA.password), ADA.password), true);

  // A result from the worker pool cannot arrive before the event loop has turned.
  let answered = false;
  const verifying = passwords
    .verifyAndUpdate(undefined, ADA.password)
    .then(() => (answered = true));
  for (let microtask = 0; microtask < 100; microtask += 1) await undefined;
  assert.equal(answered, false);
  await verifying;
});

test('users, keys, pepper and sessions outlast a restart', async (t) => {
  const data = dataDirectory(t);
  const pepper = path.join(data, 'pepper');
  const first = await start(t, { data });
  const { body: user } = await first.post('/register', ADA);
  const pair = await first.login(ADA);
  assert.equal(await first.stop(), 0);
  const secret = readFileSync(pepper);
  assert.equal(secret.length, 32);
  if (process.platform !== 'win32') assert.equal(statSync(pepper).mode & 0o777, 0o600);

  const second = await start(t, { data });
  assert.deepEqual(readFileSync(pepper), secret);
  assert.deepEqual((await second.me(pair.accessToken)).body, user);
  const { body: next } = await second.refresh(pair.refreshToken);
  assert.deepEqual([next.status, next.sessionId], ['rotated', pair.sessionId]);
  const anew = await second.login(ADA);
  assert.deepEqual((await second.me(anew.accessToken)).body, user);
  assert.equal((await second.post('/login', WRONG)).status, 401);
  assert.equal(await second.stop(), 0);

  rmSync(pepper);
  await assert.rejects(start(t, { data }), /no pepper.*backup/);
});

test('a logout that was answered holds after SIGKILL, and ends no other session', async (t) => {
  const data = dataDirectory(t);
  const first = await start(t, { data });
  await first.post('/register', ADA);
  const [kept, ended] = [await first.login(ADA), await first.login(ADA)];
  const logout = await first.ask('POST', '/logout', { token: ended.accessToken });
  assert.equal(logout.status, 204);
  assert.equal(await first.kill(), null);

  const second = await start(t, { data });
  const refused = await second.me(ended.accessToken);
  assert.deepEqual([refused.status, refused.body], [401, { error: 'invalid_token' }]);
  assert.equal((await second.refresh(ended.refreshToken)).status, 401);
  assert.equal((await second.me(kept.accessToken)).status, 200);
  const { body: next } = await second.refresh(kept.refreshToken);
  assert.equal(next.status, 'rotated');
  assert.equal(await second.kill(), null);

  // The rotation that was answered holds as well: its token is exchanged, the one before gives the
  // same successor.
  const third = await start(t, { data });
  const { body: last } = await third.refresh(next.refreshToken);
  assert.equal(last.status, 'rotated');
  const again = await third.refresh(next.refreshToken);
  assert.deepEqual([again.body.status, again.body.refreshToken], ['replayed', last.refreshToken]);
  const token = last.accessToken;
  assert.equal((await third.ask('POST', '/logout', { token })).status, 204);
  assert.equal(await third.kill(), null);

  const fourth = await start(t, { data });
  for (const { accessToken, refreshToken } of [kept, last, ended]) {
    assert.equal((await fourth.me(accessToken)).status, 401);
    assert.equal((await fourth.refresh(refreshToken)).status, 401);
  }
  assert.equal(fourth.log(), '');
});

test('a logout everywhere that was answered holds after SIGKILL', async (t) => {
  const data = dataDirectory(t);
  const first = await start(t, { data });
  await first.post('/register', ADA);
  const pairs = [await first.login(ADA), await first.login(ADA)];
  const token = pairs[0].accessToken;
  assert.equal((await first.ask('POST', '/logout-everywhere', { token })).status, 204);
  assert.equal(await first.kill(), null);

  const second = await start(t, { data });
  for (const pair of pairs) assert.equal((await second.me(pair.accessToken)).status, 401);
  const anew = await second.login(ADA);
  assert.equal((await second.me(anew.accessToken)).status, 200);
});

test('without its master key, or with another one, the service does not start', async (t) => {
  const data = dataDirectory(t);
  const masterKey = path.join(data, 'master-key');
  await (await start(t, { data })).stop();
  const bytes = readFileSync(masterKey);
  if (process.platform !== 'win32') assert.equal(statSync(masterKey).mode & 0o777, 0o600);
  rmSync(masterKey);
  await assert.rejects(start(t, { data }), /no master key.*backup/);
  writeFileSync(masterKey, Buffer.alloc(32, 1), { mode: 0o600 });
  await assert.rejects(start(t, { data }), /the store does not open with this key/);
  writeFileSync(masterKey, bytes);
  await (await start(t, { data })).stop();
});

test('the environment places the store and the secrets', async (t) => {
  const [data, elsewhere] = [dataDirectory(t), dataDirectory(t)];
  const env = {
    AUTH_STORE: path.join(elsewhere, 'revocations'),
    AUTH_MASTER_KEY_FILE: path.join(elsewhere, 'key'),
    AUTH_PEPPER_FILE: path.join(elsewhere, 'pepper'),
  };
  await (await start(t, { data, env })).stop();
  assert.deepEqual(readdirSync(elsewhere).sort(), ['key', 'pepper', 'revocations']);
  assert.deepEqual(readdirSync(data).filter((name) => !name.startsWith('users')), []);
});

test('a login moves a digest of an older policy, which names no pepper, to the current one', async (t) => {
  const data = dataDirectory(t);
  const first = await start(t, { data });
  await first.post('/register', ADA);
  await first.stop();

  const secret = SecretBuffer.from(readFileSync(path.join(data, 'pepper')));
  const old = await hash(ADA.password, { memoryCost: 1024, timeCost: 1, parallelism: 1, secret });
  const users = openUsers(data);
  const { digest } = users.get('ada');
  assert.equal(await users.replaceDigest('ada', 'not the digest', old), false);
  assert.equal(await users.replaceDigest('nobody', digest, old), false);
  assert.equal(users.get('ada').digest, digest);
  assert.equal(await users.replaceDigest('ada', digest, old), true);
  await users.close();

  const second = await start(t, { data });
  assert.equal((await second.post('/login', WRONG)).status, 401);
  assert.equal((await second.post('/login', ADA)).status, 200);
  assert.equal((await second.post('/login', ADA)).status, 200);
  await second.stop();
  const after = openUsers(data);
  const { keyid, memoryCost, timeCost } = parseHash(after.get('ada').digest);
  await after.close();
  assert.deepEqual([keyid.toString(), memoryCost, timeCost], ['1', 19456, 2]);
});
