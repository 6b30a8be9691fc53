'use strict';

// The option `clock`: a test gives the time to issuers, verifiers, sessions, lists and limiters.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const jose = require('jose');
const jsonwebtoken = require('jsonwebtoken');

const nodesec = require('@nodesec/native');
const { coded } = require('../helpers/outcome.js');
const { SECRET, craft, key, now } = require('../helpers/tokens.js');

const { JwtIssuer, JwtKey, JwtVerifier, JwtVerifiers, KeyRing, RateLimiter, RevocationList, Sessions } =
  nodesec;
const START = Date.UTC(2031, 0, 1);
const MINUTE = 60_000;

/** A clock that a test sets: `time.ms` is what it shows. */
function manual() {
  const time = { ms: START };
  return [time, () => new Date(time.ms)];
}

const issuerOf = (options) => new JwtIssuer({ keys: key, expiresIn: '15m', issuer: 'i', ...options });
const verifierOf = (options) =>
  new JwtVerifier({ keys: key, issuer: 'i', audience: false, ...options });
/** For each class with the option, how to make an instance. */
const MAKE = {
  JwtIssuer: issuerOf,
  JwtVerifier: verifierOf,
  'JwtVerifier.accessToken': (options) =>
    JwtVerifier.accessToken({ keys: key, issuer: 'i', audience: 'a', ...options }),
  'JwtVerifier.spiffe': (options) =>
    JwtVerifier.spiffe({ trustDomain: 'a.b', bundle: { keys: [] }, audience: 'a', ...options }),
  RevocationList: (options) => new RevocationList(options),
  RateLimiter: (options) => new RateLimiter({ limit: 5, windowMs: 1000, ...options }),
  Sessions: (options) =>
    new Sessions({ issuer: issuerOf(), revocations: new RevocationList(), ...options }),
};

test('tokens are dated and judged by the clock, to the millisecond', async () => {
  const [time, clock] = manual();
  const issuer = issuerOf({ clock });
  for (const cache of [false, true]) {
    time.ms = START + 999;
    const verifier = verifierOf({ clock, cache });
    const many = new JwtVerifiers({ i: verifier });
    const token = issuer.sign({});
    const { iat, exp } = verifier.verify(token);
    assert.deepEqual([iat, exp], [START / 1000, START / 1000 + 900]);
    for (const [ms, code] of [
      [START - 5001, 'ERR_JWT_CLAIM'],
      [START - 5000, undefined],
      [START + 15 * MINUTE - 1, undefined],
      [START + 15 * MINUTE, 'ERR_JWT_EXPIRED'],
      // The clock may go back.
      [START, undefined],
    ]) {
      time.ms = ms;
      for (const each of [verifier, many]) {
        assert.equal(each.tryVerify(token).code, code);
        assert.equal((await each.tryVerifyAsync(token)).code, code);
        assert.equal((await each.verifyMany([token]))[0].code, code);
      }
    }
  }
  assert.equal(verifierOf().tryVerify(issuer.sign({})).code, 'ERR_JWT_CLAIM');
});

test('sign and signAsync, with overrides and without, ask the clock', async () => {
  const [time, clock] = manual();
  const rsa = await JwtKey.generate('RS256');
  for (const keys of [key, rsa]) {
    const issuer = issuerOf({ keys, clock });
    const calls = [
      () => issuer.sign({}),
      () => issuer.sign({}, { notBefore: 1 }),
      () => issuer.signAsync({}),
      () => issuer.signAsync({}, { notBefore: 1 }),
    ];
    for (const call of calls) {
      time.ms += MINUTE;
      assert.equal(nodesec.unsafeDecode(await call()).claims.iat, time.ms / 1000);
    }
  }
});

test('the id of a token has the time of the clock', () => {
  const [time, clock] = manual();
  time.ms += 123;
  const { jti } = nodesec.unsafeDecode(issuerOf({ clock }).sign({})).claims;
  assert.equal(parseInt(jti.replace('-', '').slice(0, 12), 16), time.ms);
});

test('sessions idle, expire and repeat by the clock', async () => {
  const [time, clock] = manual();
  const revocations = new RevocationList({ clock });
  const issuer = issuerOf({ clock });
  const options = { issuer, revocations, clock, refreshTtl: '30d', idleTtl: '7d', grace: 30 };
  const sessions = new Sessions(options);
  const verifier = verifierOf({ revocations, clock });
  const first = await sessions.start('subject');
  assert.equal(first.refreshExpiresAt.getTime(), START + 7 * 24 * 60 * MINUTE);
  time.ms += 10 * MINUTE;
  // The issuer's clock is asked, too.
  const { pair } = await sessions.refresh(first.refreshToken);
  assert.equal(verifier.verify(pair.accessToken).iat, time.ms / 1000);
  time.ms += 29_999;
  assert.equal((await sessions.refresh(first.refreshToken)).status, 'replayed');
  const [{ startedAt, usedAt }] = await sessions.list('subject');
  assert.deepEqual([startedAt, usedAt], [START, START + 10 * MINUTE].map((ms) => new Date(ms)));
  await sessions.end(first.sessionId);
  assert.equal(verifier.tryVerify(pair.accessToken).code, 'ERR_JWT_REVOKED');
  const second = await sessions.start('subject');
  time.ms += 7 * 24 * 60 * MINUTE;
  assert.equal((await sessions.refresh(second.refreshToken)).status, 'expired');
});

test('a list without sessions of its own clock asks the clocks of issuer and list', async () => {
  const [time, clock] = manual();
  const sessions = new Sessions({
    issuer: issuerOf({ clock }),
    revocations: new RevocationList({ clock }),
  });
  time.ms += MINUTE;
  const { accessToken } = await sessions.start('subject');
  assert.equal(nodesec.unsafeDecode(accessToken).claims.iat, time.ms / 1000);
});

test('a subject is revoked at the moment of the clock, and entries are forgotten by it', () => {
  const [time, clock] = manual();
  const list = new RevocationList({ clock, maxTokenTtl: '1h' });
  time.ms += MINUTE;
  list.revokeSubjectSync('subject');
  const at = (seconds) => list.isRevoked({ sub: 'subject', iat: START / 1000 + seconds });
  assert.deepEqual([at(60), at(61)], [true, false]);
  list.revokeIdSync('id', START / 1000 + 100);
  assert.equal(list.size, 2);
  time.ms += 24 * 60 * MINUTE;
  // A write forgets the entries that have expired.
  list.revokeIdSync('other', time.ms / 1000 + 100);
  assert.equal(list.size, 1);
});

test('a limiter recovers by the clock, and never by a clock that is set back', () => {
  const [time, clock] = manual();
  const limiter = new RateLimiter({ limit: 2, windowMs: 1000, clock });
  assert.deepEqual([1, 2, 3].map(() => limiter.check('k')), [true, true, false]);
  assert.equal(limiter.peek('k').retryAfterMs, 500);
  time.ms += 499;
  assert.equal(limiter.check('k'), false);
  time.ms += 1;
  assert.equal(limiter.consume('k').allowed, true);
  time.ms = START - 1000;
  assert.equal(limiter.check('k'), false);
  time.ms = START + 1000;
  assert.equal(limiter.check('k'), true);
  assert.equal(limiter.reset('k'), true);
  assert.equal(limiter.peek('k').remaining, 2);
  time.ms = 1e14;
  assert.equal(limiter.check('k'), true);
});

test('mock timers of node:test are followed', (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: START });
  const clock = () => new Date();
  const [issuer, verifier] = [issuerOf({ clock }), verifierOf({ clock })];
  const limiter = new RateLimiter({ limit: 1, windowMs: 1000, clock });
  const token = issuer.sign({});
  assert.equal(verifier.verify(token).iat, START / 1000);
  assert.deepEqual([limiter.check('k'), limiter.check('k')], [true, false]);
  t.mock.timers.tick(15 * MINUTE);
  assert.equal(verifier.tryVerify(token).code, 'ERR_JWT_EXPIRED');
  assert.equal(limiter.check('k'), true);
});

test('a ring follows the clock of its issuer and its verifier', async () => {
  const [time, clock] = manual();
  const keys = new KeyRing({ alg: 'EdDSA', rotateEvery: '1d' });
  const [issuer, verifier] = [issuerOf({ keys, clock }), verifierOf({ keys, clock })];
  const token = issuer.sign({});
  const [{ kid }] = keys.list();
  assert.equal(verifier.tryVerify(token).header.kid, kid);
  time.ms += 25 * 60 * MINUTE;
  assert.notEqual(verifier.tryVerify(issuer.sign({})).header.kid, kid);
  time.ms = Date.now() - 1000 * MINUTE;
  assert.ok(verifier.verify(issuer.sign({})));
});

const BAD = {
  'a number': () => START,
  NaN: () => NaN,
  'an invalid Date': () => new Date(NaN),
  'a text': () => new Date(START).toISOString(),
  nothing: () => undefined,
  'a promise': async () => new Date(),
  'a Date before 1970': () => new Date(-1),
  'a Date after 5138': () => new Date(1e14 + 1),
  'an impostor': () => Object.create(Date.prototype),
  'a proxy': () => new Proxy(new Date(), {}),
};
for (const [what, bad] of Object.entries(BAD)) {
  test(`a clock that returns ${what} is refused, at once and later`, async () => {
    for (const make of Object.values(MAKE)) {
      assert.throws(() => make({ clock: bad }), coded('ERR_INVALID_RETURN_VALUE'));
    }
    let answer = () => new Date(START);
    const clock = () => answer();
    const issuer = issuerOf({ clock });
    const verifier = verifierOf({ clock });
    const revocations = new RevocationList({ clock });
    const limiter = new RateLimiter({ limit: 1, windowMs: 1000, clock });
    const sessions = new Sessions({ issuer, revocations, clock });
    const token = issuer.sign({});
    answer = bad;
    for (const call of [
      () => issuer.sign({}),
      () => verifier.verify(token),
      () => verifier.tryVerify(token),
      () => revocations.revokeKeySync('k'),
      () => limiter.check('k'),
      () => limiter.consume('k'),
    ]) {
      assert.throws(call, coded('ERR_INVALID_RETURN_VALUE'));
    }
    for (const call of [
      () => issuer.signAsync({}),
      () => verifier.verifyAsync(token),
      () => verifier.tryVerifyAsync(token),
      () => verifier.verifyMany([token]),
      () => revocations.revokeSubject('s'),
      () => sessions.start('s'),
      () => sessions.endAll('s'),
      () => sessions.list('s'),
    ]) {
      await assert.rejects(call(), coded('ERR_INVALID_RETURN_VALUE'));
    }
    answer = () => new Date(START);
    assert.ok(verifier.verify(token));
  });
}

test('the error of a clock is the cause', () => {
  const thrown = new Error('no time');
  const clock = () => {
    throw thrown;
  };
  assert.throws(() => issuerOf({ clock }), (error) => {
    assert.equal(error.cause, thrown);
    return coded('ERR_INVALID_RETURN_VALUE')(error);
  });
  let isReady = false;
  const recursive = () => {
    if (isReady) verifier.verify('a');
    return new Date();
  };
  const verifier = verifierOf({ clock: recursive });
  isReady = true;
  assert.throws(() => verifier.verify('a'), coded('ERR_INVALID_RETURN_VALUE'));
});

test('a clock that is no function is refused', () => {
  for (const clock of [null, new Date(), START, 'now', {}]) {
    for (const make of Object.values(MAKE)) {
      assert.throws(() => make({ clock }), coded('ERR_INVALID_ARG_TYPE'));
    }
  }
  const { clock } = Object.create({ clock: () => new Date() });
  assert.ok(Math.abs(nodesec.unsafeDecode(issuerOf({ clock: undefined }).sign({})).claims.iat - now()) < 5);
  // Only an own member is an option.
  const heir = { __proto__: { clock }, keys: key, expiresIn: 60 };
  assert.throws(() => new JwtIssuer(heir), coded('ERR_INVALID_ARG_TYPE'));
});

test('in production a clock is refused, unless it is said twice', (t) => {
  const { NODE_ENV } = process.env;
  t.after(() => {
    if (NODE_ENV === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = NODE_ENV;
  });
  process.env.NODE_ENV = 'production';
  const clock = () => new Date();
  for (const make of Object.values(MAKE)) {
    for (const options of [{ clock }, { clock, allowClockInProduction: false }]) {
      assert.throws(() => make(options), {
        code: 'ERR_INVALID_ARG_VALUE',
        message: /NODE_ENV is production.*allowClockInProduction: true/,
      });
    }
    assert.throws(
      () => make({ clock, allowClockInProduction: 'yes' }),
      coded('ERR_INVALID_ARG_TYPE'),
    );
    make({ clock, allowClockInProduction: true });
    make({ allowClockInProduction: true });
    make({});
  }
});

test('maxAge ends at its millisecond: with jsonwebtoken, and a second before jose', async () => {
  const iat = START / 1000;
  const token = craft({ iat, exp: iat + 1e6, iss: 'i' });
  const [time, clock] = manual();
  const verifier = verifierOf({ clock, maxAge: 60 });
  for (const [ms, ours, jwt, joses] of [
    [59_000, true, true, true],
    [59_999, true, true, true],
    [60_000, false, false, true],
    [60_999, false, false, true],
    [61_000, false, false, false],
  ]) {
    time.ms = START + ms;
    const clockTimestamp = Math.floor(time.ms / 1000);
    const ask = () => jsonwebtoken.verify(token, SECRET, { maxAge: '60s', clockTimestamp });
    const currentDate = new Date(time.ms);
    const asked = jose.jwtVerify(token, SECRET, { maxTokenAge: 60, currentDate });
    assert.equal(verifier.tryVerify(token).ok, ours, `${ms}`);
    if (jwt) ask();
    else assert.throws(ask, /maxAge exceeded/);
    if (joses) await asked;
    else await assert.rejects(asked);
  }
});
