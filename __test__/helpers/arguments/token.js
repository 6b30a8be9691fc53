'use strict';

const { JwtIssuer, JwtVerifier, RemoteJwks, RevocationList } = require('@nodesec/native');
const {
  CANARY,
  anything,
  boolean,
  callback,
  claims,
  duration,
  instance,
  integer,
  kind,
  name,
  names,
  options,
  or,
  record,
  text,
  token,
  word,
} = require('../hostile.js');
const { algorithmList, hmacKey, keyList, publicJwk } = require('../key-kinds.js');

const remoteOptions = () => ({
  algorithms: ['EdDSA'],
  use: 'sig',
  headers: { 'x-api-key': 'row' },
  format: 'jwks',
  allowInsecureHttp: false,
  fetch: async () => new Response(JSON.stringify({ keys: [publicJwk] })),
  timeoutMs: 1000,
  maxBytes: 1024,
  minAge: 60,
  maxAge: '5m',
  cooldown: 30,
  staleIfError: '1h',
  onEvent: () => {},
});
const remote = () => new RemoteJwks('https://keys.example/', remoteOptions());
const issuerOptions = () => ({
  keys: hmacKey(),
  issuer: 'issuer',
  audience: ['audience'],
  expiresIn: '15m',
  typ: 'JWT',
  jti: true,
});
const issuer = () => new JwtIssuer(issuerOptions());
const policyOptions = () => ({
  audience: ['audience'],
  clockTolerance: 1,
  maxAge: '1h',
  requiredClaims: ['sub'],
  revocations: new RevocationList(),
  cache: { maxEntries: 10 },
});
const accessTokenOptions = () => ({
  ...policyOptions(),
  keys: [hmacKey()],
  algorithms: ['HS256'],
  issuer: 'issuer',
});
const verifierOptions = () => ({ ...accessTokenOptions(), typ: 'JWT', requireExp: true });
const verifier = () => new JwtVerifier(verifierOptions());
const TOKEN = issuer().sign({ sub: 'subject' });

const keys = kind(keyList.refused, { 'an empty array': () => [], 'an issuer': issuer });
const expected = kind(names.refused, { 'an empty array': () => [] });
const array = kind({
  null: () => null,
  undefined: () => undefined,
  'a string': () => 'sub',
  'an object': () => ({ length: 1, 0: 'sub' }),
  'a set': () => new Set(['sub']),
});
const requiredClaims = kind({
  null: () => null,
  'a name': () => 'sub',
  'a set': () => new Set(['sub']),
  'an array with a number': () => ['sub', 42],
  'an array with a hole': () => new Array(1),
  'an empty name': () => [''],
  'a name of 257 bytes': () => ['n'.repeat(257)],
  'a lone surrogate': () => ['\ud800'],
  'too many': () => new Array(101).fill('sub'),
});
const cache = {
  ...kind({
    null: () => null,
    'a number': () => 1000,
    'a string': () => 'true',
  }),
  options: {
    maxEntries: kind(integer.refused, { none: () => 0, 'too many': () => 100_001 }),
  },
};
const policyKinds = {
  audience: expected,
  clockTolerance: duration,
  maxAge: duration,
  requiredClaims,
  revocations: instance(RevocationList, () => new RevocationList()),
  cache,
};
const verifierAlgorithms = kind(word.refused, { 'an empty array': () => [], none: () => ['none'] });
const bundle = kind(text.refused, {
  'no set': () => '{}',
  'keys that are none': () => ({ keys: [CANARY] }),
  'a set of keys': () => [publicJwk],
});
const overrides = options({ audience: names, expiresIn: duration, notBefore: duration });
const signing = {
  on: issuer,
  args: () => [{ sub: 'subject' }, { audience: 'other', expiresIn: 60, notBefore: 0 }],
  kinds: [claims, overrides],
};
const plain = (on) => ({ on, args: () => [], kinds: [] });

module.exports = {
  'new JwtIssuer': {
    args: () => [issuerOptions()],
    kinds: [
      options({
        keys,
        issuer: name,
        audience: names,
        expiresIn: duration,
        typ: name,
        jti: boolean,
      }),
    ],
  },
  'JwtIssuer.prototype.sign': signing,
  'JwtIssuer.prototype.signAsync': signing,
  'new RemoteJwks': {
    args: () => ['https://keys.example/', remoteOptions()],
    kinds: [
      kind(name.refused, { 'http elsewhere': () => 'http://keys.example/', 'no URL': () => CANARY }),
      options({
        algorithms: algorithmList,
        use: word,
        headers: kind(record({}).refused, {
          'an array': () => [['x', CANARY]],
          'a name that is none': () => ({ 'x y': CANARY }),
          'a value that is none': () => ({ x: `${CANARY}\nx` }),
          'a number': () => ({ x: 1 }),
        }),
        format: word,
        allowInsecureHttp: boolean,
        fetch: callback,
        timeoutMs: integer,
        maxBytes: integer,
        minAge: kind(duration.refused, { 'longer than maxAge': () => '6m' }),
        maxAge: duration,
        cooldown: duration,
        staleIfError: duration,
        onEvent: callback,
      }),
    ],
  },
  'RemoteJwks.prototype.refresh': plain(remote),
  'RemoteJwks.prototype.list': plain(remote),
  'RemoteJwks.prototype.status': plain(remote),
  'new JwtVerifier': {
    args: () => [verifierOptions()],
    kinds: [
      options({
        ...policyKinds,
        keys,
        algorithms: verifierAlgorithms,
        issuer: expected,
        typ: name,
        requireExp: boolean,
      }),
    ],
  },
  'JwtVerifier.accessToken': {
    args: () => [accessTokenOptions()],
    kinds: [options({ ...policyKinds, keys, algorithms: verifierAlgorithms, issuer: expected })],
  },
  'JwtVerifier.spiffe': {
    args: () => [{ ...policyOptions(), trustDomain: 'example.org', bundle: { keys: [] } }],
    kinds: [options({ ...policyKinds, trustDomain: name, bundle })],
  },
  'JwtVerifier.prototype.verify': { on: verifier, args: () => [TOKEN], kinds: [token] },
  'JwtVerifier.prototype.tryVerify': { on: verifier, args: () => [TOKEN], kinds: [anything] },
  'JwtVerifier.prototype.verifyAsync': { on: verifier, args: () => [TOKEN], kinds: [token] },
  'JwtVerifier.prototype.tryVerifyAsync': { on: verifier, args: () => [TOKEN], kinds: [anything] },
  'JwtVerifier.prototype.verifyMany': {
    on: verifier,
    args: () => [[TOKEN]],
    kinds: [kind(array.refused, { 'too many': () => new Array(10_001).fill(TOKEN) })],
  },
  verifyJws: {
    args: () => [TOKEN, [hmacKey()], { algorithms: ['HS256'] }],
    kinds: [
      token,
      keys,
      options({
        algorithms: kind(word.refused, { 'an empty array': () => [], none: () => ['none'] }),
      }),
    ],
  },
  unsafeDecode: { args: () => [TOKEN], kinds: [or(text, token)] },
};
