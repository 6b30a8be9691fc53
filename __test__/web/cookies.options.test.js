'use strict';

// The options of sessions in cookies, and the cookies that they make.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { sessionCookies } = require('@nodesec/native/express');
const { RT, parsed, sessionParts } = require('../helpers/browser.js');
const { coded } = require('../helpers/outcome.js');

const DAY = 86_400;

/** A response of Node as far as `issue` uses it. */
const response = () => {
  const fields = new Map();
  return {
    fields,
    getHeader: (name) => fields.get(name),
    setHeader: (name, value) => void fields.set(name, value),
  };
};
const cookiesOf = (res) => Object.fromEntries(res.fields.get('Set-Cookie').map((field) => [parsed(field).name, parsed(field)]));

test('the options name the cookies, and issue keeps the cookies of others', async () => {
  const options = await sessionParts();
  const cookies = sessionCookies({ ...options, access: { name: 'at', sameSite: 'strict' }, refresh: { name: '__Host-rt', path: '/' } });
  const pair = await options.sessions.start('ann');
  const res = response();
  res.setHeader('Set-Cookie', 'at2=1');
  cookies.issue(res, pair);
  cookies.issue(res, pair);
  assert.equal(res.fields.get('Set-Cookie').length, 3);
  const { at, at2, '__Host-rt': rt } = cookiesOf(res);
  assert.deepEqual([at.value, at.attributes.samesite, at2.value], [pair.accessToken, 'Strict', '1']);
  assert.deepEqual([rt.value, rt.attributes.path], [pair.refreshToken, '/']);
});

test('no cookie lives longer than 400 days, and none shorter than no time', async () => {
  const time = { ms: Date.now() };
  const options = await sessionParts({ refreshTtl: 399 * DAY, clock: () => new Date(time.ms) });
  const cookies = sessionCookies(options);
  const pair = await options.sessions.start('ann');
  const ageOf = (given) => {
    const res = response();
    cookies.issue(res, given);
    return cookiesOf(res)[RT].attributes['max-age'];
  };
  assert.equal(ageOf(pair), `${399 * DAY}`);
  const refreshExpiresAt = new Date(time.ms + 401 * DAY * 1000);
  assert.equal(ageOf({ ...pair, refreshExpiresAt }), `${400 * DAY}`);
  time.ms += 400 * DAY * 1000;
  assert.equal(ageOf(pair), '0');
});

test('a token that no browser would keep, and other values than a pair, are refused', async () => {
  const options = await sessionParts();
  const cookies = sessionCookies(options);
  const pair = await options.sessions.start('ann', { text: 'x'.repeat(4000) });
  assert.throws(() => cookies.issue(response(), pair), coded('ERR_OUT_OF_RANGE'));
  const good = await options.sessions.start('ann');
  const bad = [
    undefined,
    null,
    'text',
    {},
    { ...good, accessToken: 42 },
    { ...good, refreshToken: 'a; Domain=example.com' },
    { ...good, accessToken: 'a\r\nSet-Cookie: b=c' },
    { ...good, expiresIn: NaN },
    { ...good, refreshExpiresAt: '2030-01-01' },
  ];
  for (const given of bad) assert.throws(() => cookies.issue(response(), given), coded('ERR_INVALID_ARG_TYPE'));
});

test('names and paths that browsers would refuse are refused when the cookies are made', async () => {
  const options = await sessionParts();
  for (const [more, code] of [
    [{ refresh: { name: '__Host-rt' } }, 'ERR_INVALID_ARG_VALUE'],
    [{ refresh: { name: '__hOsT-rt' } }, 'ERR_INVALID_ARG_VALUE'],
    [{ access: { name: 'a' }, refresh: { name: 'a' } }, 'ERR_INVALID_ARG_VALUE'],
    [{ refresh: { path: '/a; Domain=b' } }, 'ERR_INVALID_ARG_VALUE'],
    [{ refresh: { path: 'auth' } }, 'ERR_INVALID_ARG_VALUE'],
    [{ access: { name: 'a=b' } }, 'ERR_INVALID_ARG_VALUE'],
    [{ access: { sameSite: 'none' } }, 'ERR_INVALID_ARG_VALUE'],
    [{ access: { path: '/' } }, 'ERR_UNKNOWN_OPTION'],
  ]) {
    assert.throws(() => sessionCookies({ ...options, ...more }), coded(code), JSON.stringify(more));
  }
});
