'use strict';

// The recipe of docs/sessions.md: an OpenID provider ends sessions by its `sid`, or all of a `sub`.

const assert = require('node:assert/strict');
const { readFileSync } = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { runInThisContext } = require('node:vm');

const { JwtIssuer, JwtKey, JwtVerifier, RevocationList, Sessions } = require('@nodesec/native');

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const EVENTS = { [EVENT]: {} };

/** A relying party with the function of the guide, and its provider. */
async function relyingParty() {
  const guide = readFileSync(path.join(__dirname, '../../docs/sessions.md'), 'utf8');
  const [recipe] = /^async function backChannelLogout[^]*?^\}/m.exec(guide);
  const [, verifierOptions] = /new JwtVerifier\((\{\n {2}keys: provider,[^]*?^\})\);/m.exec(guide);
  const provider = await JwtKey.generate('ES256');
  const logoutTokens = new JwtVerifier(
    runInThisContext(`(provider) => (${verifierOptions})`)(provider),
  );
  const keys = JwtKey.fromSecret(Buffer.alloc(32, 7), { alg: 'HS256' });
  const issuer = new JwtIssuer({ keys, expiresIn: '10m' });
  const revocations = new RevocationList();
  const sessions = new Sessions({ issuer, revocations });
  const verifier = new JwtVerifier({ keys, issuer: false, audience: false, revocations });
  const known = new Map();
  const make = runInThisContext(
    `(logoutTokens, EVENT, sessions, known) => { ${recipe}; return backChannelLogout; }`,
  );
  const logout = make(logoutTokens, EVENT, sessions, known);
  const op = (options) =>
    new JwtIssuer({
      keys: provider,
      issuer: 'https://op.example',
      audience: 'client-1',
      typ: 'logout+jwt',
      expiresIn: '2m',
      ...options,
    });
  /** Whether the session of a pair is over, its access token, too. */
  const isOver = async ({ accessToken, refreshToken }) => {
    const [{ status }, { code }] = [await sessions.refresh(refreshToken), verifier.tryVerify(accessToken)];
    assert.equal(status === 'unknown', code === 'ERR_JWT_REVOKED');
    return status === 'unknown';
  };
  return { sessions, known, logout, op, isOver };
}

test('a logout token with a sid ends that session, and comes twice without harm', async () => {
  const { sessions, known, logout, op, isOver } = await relyingParty();
  const [one, other] = [await sessions.start('alice'), await sessions.start('alice')];
  known.set('op-1', one.sessionId).set('op-2', other.sessionId);
  const token = op().sign({ sid: 'op-1', sub: 'alice', events: EVENTS });
  for (let times = 0; times < 2; times += 1) assert.equal(await logout(token), 200);
  assert.deepEqual([await isOver(one), await isOver(other)], [true, false]);
  assert.equal(await logout(op().sign({ sid: 'never seen', events: EVENTS })), 200);
});

test('a logout token with a sub ends all sessions of the subject', async () => {
  const { sessions, logout, op, isOver } = await relyingParty();
  const pairs = [await sessions.start('alice'), await sessions.start('alice')];
  const somebody = await sessions.start('bob');
  assert.equal(await logout(op().sign({ sub: 'alice', events: EVENTS })), 200);
  for (const pair of pairs) assert.equal(await isOver(pair), true);
  assert.equal(await isOver(somebody), false);
});

test('a token that is no logout token of the provider ends nothing', async () => {
  const { sessions, known, logout, op, isOver } = await relyingParty();
  const pair = await sessions.start('alice');
  known.set('op-1', pair.sessionId);
  const claims = { sid: 'op-1', sub: 'alice', events: EVENTS };
  const stranger = await relyingParty();
  const tokens = {
    'an ID token': op({ typ: 'JWT' }).sign(claims),
    'one without an event': op().sign({ ...claims, events: undefined }),
    'one with another event': op().sign({ ...claims, events: { other: {} } }),
    'one whose event is a text': op().sign({ ...claims, events: { [EVENT]: 'yes' } }),
    'one with a nonce': op().sign({ ...claims, nonce: 'n' }),
    'one without a session or a subject': op().sign({ events: EVENTS }),
    'one for another client': op({ audience: 'client-2' }).sign(claims),
    'one of another issuer': op({ issuer: 'https://other.example' }).sign(claims),
    'one without an id': op({ jti: false }).sign(claims),
    'one of another provider': stranger.op().sign(claims),
    'garbage': 'garbage',
  };
  for (const [what, token] of Object.entries(tokens)) assert.equal(await logout(token), 400, what);
  assert.equal(await isOver(pair), false);
});
