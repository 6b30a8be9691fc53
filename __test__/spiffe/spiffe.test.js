'use strict';

const assert = require('node:assert/strict');
const { X509Certificate } = require('node:crypto');
const { test } = require('node:test');

const { NodesecError, SpiffeError, parseSpiffeId, spiffeIdOf } = require('@nodesec/native');
const { coded } = require('../helpers/outcome.js');
const { cases } = require('../vectors/x509-svids.json');

const { cert } = cases.find(({ name }) => name === 'web');
const WEB = { trustDomain: 'example.org', path: '/web', uri: 'spiffe://example.org/web' };

test('an id is taken apart, and frozen', () => {
  const id = parseSpiffeId('spiffe://example.org/ns/prod/sa/Web_1');
  assert.deepEqual(id, {
    trustDomain: 'example.org',
    path: '/ns/prod/sa/Web_1',
    uri: 'spiffe://example.org/ns/prod/sa/Web_1',
  });
  assert.ok(Object.isFrozen(id));
  assert.equal(parseSpiffeId('spiffe://example.org').path, '');
});

test('the error for a text that is no id names the rule, without the text', () => {
  for (const [uri, rule] of [
    ['', /must start with/],
    ['https://c4n4ry', /must start with/],
    ['Spiffe://c4n4ry', /lower case/],
    ['spiffe://', /trust domain/],
    ['spiffe://C4n4ry', /lower case/],
    ['spiffe://c4n4ry:8443/a', /port/],
    ['spiffe://me@c4n4ry/a', /user info/],
    ['spiffe://c4n4ry/a?b', /query/],
    ['spiffe://c4n4ry/a#b', /fragment/],
    ['spiffe://c4n4ry/%61', /percent/],
    ['spiffe://c4n4ry/', /slash/],
    ['spiffe://c4n4ry//a', /empty/],
    ['spiffe://c4n4ry/../a', /"\.\."/],
    [`spiffe://${'c4n4ry'.repeat(50)}`, /255 bytes/],
    [`spiffe://c4n4ry/${'a'.repeat(1e6)}`, /2048 bytes/],
  ]) {
    assert.throws(
      () => parseSpiffeId(uri),
      (error) => {
        coded('ERR_SPIFFE_ID', { name: 'SpiffeError' })(error);
        assert.ok(error instanceof SpiffeError && error instanceof NodesecError);
        assert.match(error.message, rule, uri);
        assert.doesNotMatch(error.message, /c4n4ry/i);
        return true;
      },
    );
  }
});

for (const { name, cert, uri, refused } of cases) {
  test(`a certificate is read as SPIFFE says: ${name}`, () => {
    const parsed = new X509Certificate(cert);
    for (const form of [cert, parsed, parsed.raw, new Uint8Array(parsed.raw)]) {
      if (uri !== undefined) {
        assert.deepEqual(spiffeIdOf(form), parseSpiffeId(uri));
        continue;
      }
      assert.throws(
        () => spiffeIdOf(form),
        (error) => {
          coded('ERR_SPIFFE_CERTIFICATE', { name: 'SpiffeError' })(error);
          assert.match(error.message, new RegExp(refused));
          return true;
        },
      );
    }
  });
}

test('the id of a certificate is frozen', () => {
  const id = spiffeIdOf(cert);
  assert.deepEqual(id, WEB);
  assert.ok(Object.isFrozen(id));
});

test('bytes that are not one certificate are refused', () => {
  const { raw } = new X509Certificate(cert);
  const refused = coded('ERR_SPIFFE_CERTIFICATE');
  for (const form of [
    Buffer.concat([raw, Buffer.of(0)]),
    raw.subarray(1),
    raw.subarray(0, -1),
    Buffer.alloc(0),
    Buffer.from(cert),
    '',
    cert + cert,
    cert.replaceAll('CERTIFICATE', 'PUBLIC KEY'),
    raw.toString('base64'),
    'spiffe://example.org/web',
  ]) {
    assert.throws(() => spiffeIdOf(form), refused);
  }
});

test('an impostor of an X509Certificate is refused', () => {
  const parsed = new X509Certificate(cert);
  const refused = coded('ERR_INVALID_ARG_TYPE');
  for (const impostor of [
    { raw: parsed.raw },
    { subjectAltName: 'URI:spiffe://example.org/web' },
    Object.create(X509Certificate.prototype),
    Object.defineProperty(Object.create(X509Certificate.prototype), 'raw', { value: parsed.raw }),
    new Proxy(parsed, {}),
    undefined,
    null,
  ]) {
    assert.throws(() => spiffeIdOf(impostor), refused);
  }
});

test("an object's own members are not looked at", () => {
  const bad = cases.find(({ name }) => name === 'two ids');
  const parsed = new X509Certificate(bad.cert);
  Object.defineProperty(parsed, 'raw', { value: new X509Certificate(cert).raw });
  assert.throws(() => spiffeIdOf(parsed), coded('ERR_SPIFFE_CERTIFICATE'));
});
