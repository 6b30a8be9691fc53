'use strict';

const { JwtIssuer, JwtKey, JwtVerifier, JwtVerifiers, KeyRing, RemoteJwks, RevocationList } =
  require('@nodesec/native');
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
  textOrBytes,
  token,
  word,
} = require('../hostile.js');
const { clock, clockOptions } = require('./clock.js');
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
  ...clockOptions(),
});
const issuer = () => new JwtIssuer(issuerOptions());
const formOptions = () => ({ maxBytes: 32_768, padding: 'allow' });
const policyOptions = () => ({
  audience: ['audience'],
  claims: { sub: ['subject', 1], role: 'row', admin: true },
  clockTolerance: 1,
  maxAge: '1h',
  requiredClaims: ['sub'],
  revocations: new RevocationList(),
  cache: { maxEntries: 10 },
  ...clockOptions(),
});
const accessTokenOptions = () => ({
  ...policyOptions(),
  ...formOptions(),
  keys: [hmacKey()],
  algorithms: ['HS256'],
  issuer: 'issuer',
});
const verifierOptions = () => ({ ...accessTokenOptions(), typ: 'JWT', requireExp: true });
const verifier = () => new JwtVerifier(verifierOptions());
const verifiers = () => new JwtVerifiers({ issuer: verifier() });
const TOKEN = issuer().sign({ sub: 'subject', role: 'row', admin: true });

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
const form = {
  maxBytes: kind(integer.refused, { 'too few': () => 1023, 'too many': () => 1_048_577 }),
  padding: kind(word.refused, { false: () => false, refuse: () => 'refuse' }),
};
/** The option `claims`: a member of any name may have any value of the list. */
const exactClaims = kind({
  null: () => null,
  'a string': () => 'sub',
  'an array': () => ['sub'],
  'a map': () => new Map([['role', 'row']]),
  'a name of 257 bytes': () => ({ ['n'.repeat(257)]: 1 }),
  'an empty name': () => ({ '': 1 }),
  'a lone surrogate in a name': () => ({ '\ud800': 1 }),
  'too many': () => Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`c${index}`, 1])),
  ...Object.fromEntries(
    ['iss', 'aud', 'exp', 'nbf', 'iat'].map((claim) => [claim, () => ({ [claim]: 1 })]),
  ),
  ...Object.fromEntries(
    Object.entries({
      undefined,
      null: null,
      NaN,
      Infinity,
      '2 ** 53': 2 ** 53,
      'a bigint': 1n,
      'a symbol': Symbol(CANARY),
      'a function': () => CANARY,
      'a pattern': /./,
      'an object': { a: CANARY },
      'a set': new Set([CANARY]),
      'an empty string': '',
      'a string of 2049 bytes': 'x'.repeat(2049),
      'a lone surrogate': `${CANARY}\ud800`,
      'an empty array': [],
      'an array with a hole': new Array(1),
      'an array of arrays': [['a']],
      'an array with null': ['a', null],
      'too many values': new Array(101).fill('a'),
    }).map(([what, value]) => [`the value is ${what}`, () => ({ role: value })]),
  ),
});
/** The option `header`. */
const header = (...names) =>
  kind({
    null: () => null,
    'a string': () => '{}',
    'a number': () => 1,
    true: () => true,
    'an array': () => ['cty'],
    'a map': () => new Map([['cty', CANARY]]),
    'an instance of a class': () => new (class Header { cty = CANARY; })(),
    'an heir': () => Object.create({ cty: CANARY }),
    'a function': () => () => CANARY,
    'nothing that JSON knows': () => ({ toJSON: () => undefined }),
    'a bigint': () => ({ cty: 1n }),
    'a lone surrogate': () => ({ cty: `${CANARY}\ud800` }),
    'a lone surrogate in a name': () => ({ [`${CANARY}\ud800`]: 1 }),
    ...Object.fromEntries(
      ['alg', 'kid', 'crit', 'b64', 'enc', 'zip', ...names].map((member) => [
        `with ${member}`,
        () => ({ [member]: CANARY }),
      ]),
    ),
  });
const policyKinds = {
  audience: expected,
  claims: exactClaims,
  clockTolerance: duration,
  maxAge: duration,
  requiredClaims,
  revocations: instance(RevocationList, () => new RevocationList()),
  cache,
  ...clock,
};
const verifierAlgorithms = kind(word.refused, { 'an empty array': () => [], none: () => ['none'] });
const bundle = kind(text.refused, {
  'no set': () => '{}',
  'keys that are none': () => ({ keys: [CANARY] }),
  'a set of keys': () => [publicJwk],
});
const { '-1': _, ...notSeconds } = integer.refused;
const overrides = options({
  audience: names,
  expiresIn: duration,
  notBefore: duration,
  issuedAt: kind(notSeconds, { 'too long ago': () => -301, 'in the future': () => 1, '-0.5': () => -0.5 }),
  header: header('typ', 'jwk', 'jku', 'x5c', 'x5u'),
});
const signing = {
  on: issuer,
  args: () => [
    { sub: 'subject' },
    { audience: 'other', expiresIn: 60, notBefore: 0, issuedAt: -60, header: { cty: 'row' } },
  ],
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
        ...clock,
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
        ...form,
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
    kinds: [
      options({ ...policyKinds, ...form, keys, algorithms: verifierAlgorithms, issuer: expected }),
    ],
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
  'new JwtVerifiers': {
    args: () => [{ issuer: verifier() }],
    kinds: [
      kind({
        null: () => null,
        undefined: () => undefined,
        'a verifier': verifier,
        'an array': () => [verifier()],
        'an empty object': () => ({}),
        'an empty map': () => new Map(),
        'a map with a number': () => new Map([[1, verifier()]]),
        'a value that is no verifier': () => ({ issuer: CANARY }),
        'the name of another issuer': () => ({ other: verifier() }),
      }),
    ],
  },
  'JwtVerifiers.prototype.verify': { on: verifiers, args: () => [TOKEN], kinds: [token] },
  'JwtVerifiers.prototype.tryVerify': { on: verifiers, args: () => [TOKEN], kinds: [anything] },
  'JwtVerifiers.prototype.verifyAsync': { on: verifiers, args: () => [TOKEN], kinds: [token] },
  'JwtVerifiers.prototype.tryVerifyAsync': { on: verifiers, args: () => [TOKEN], kinds: [anything] },
  'JwtVerifiers.prototype.verifyMany': {
    on: verifiers,
    args: () => [[TOKEN]],
    kinds: [kind(array.refused, { 'too many': () => new Array(10_001).fill(TOKEN) })],
  },
  signJws: {
    args: () => ['payload', hmacKey(), { header: { typ: 'row', jwk: publicJwk }, kid: true }],
    kinds: [
      kind(textOrBytes.refused, { 'too long': () => 'x'.repeat(2 ** 20) }),
      kind(instance(JwtKey, hmacKey).refused, {
        'a key in an array': () => [hmacKey()],
        'a public key': () => JwtKey.fromJwk(publicJwk, { alg: 'EdDSA' }),
        'a ring': () => new KeyRing({ keys: [hmacKey()] }),
      }),
      options({
        header: kind(header().refused, {
          'a typ that is no string': () => ({ typ: 1 }),
          'a jwk that is none': () => ({ jwk: CANARY }),
          'a private jwk': () => ({ jwk: { ...publicJwk, d: CANARY } }),
        }),
        kid: boolean,
      }),
    ],
  },
  verifyJws: {
    args: () => [TOKEN, [hmacKey()], { ...formOptions(), algorithms: ['HS256'] }],
    kinds: [
      token,
      keys,
      options({
        ...form,
        algorithms: kind(word.refused, { 'an empty array': () => [], none: () => ['none'] }),
      }),
    ],
  },
  unsafeDecode: { args: () => [TOKEN, formOptions()], kinds: [or(text, token), options(form)] },
};
