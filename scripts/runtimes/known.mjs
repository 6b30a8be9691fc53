// The suites that do not run on a runtime, and the tests that fail there. A row is a suite with the
// reason why it does not run, or with tests, each by the start of its name and with the reason.

/** Suites that test the checkout and its tools, and not the package: they run once, on one Node. */
export const CHECKOUT = [
  'docs/argon2-types',
  'docs/strictness',
  'docs/typescript',
  'house/codes',
  'house/columns',
  'house/docs',
  'house/gate',
  'house/install',
  'house/layers',
  'house/miri',
  'house/preflight',
  'house/sbom',
  'house/supply',
  'house/workflows',
];

const FLAGS = 'it starts Node with flags that this runtime does not have';
const PERMISSIONS = 'it tests the permission model of Node';
const PRINTS = 'it compares what Node prints, and this runtime prints objects in another form';
const ORACLE = 'its oracle is the OpenSSL of Node, which reads and writes more keys';

const NOT_NODE = {
  'docs/manual': PRINTS,
  'docs/markdown': PRINTS,
  'docs/revocation': PERMISSIONS,
  'house/abort-on-uncaught': FLAGS,
  'key/pem': ORACLE,
  'key/rsa-pss': ORACLE,
};

export const KNOWN = {
  bun: {
    ...NOT_NODE,
    'house/arguments': {
      'SecretBuffer.fromEnv': 'a change of process.env does not reach the environment in Bun',
    },
    'house/hostile-objects': {
      'SecretBuffer.fromEnv': 'a change of process.env does not reach the environment in Bun',
    },
    'house/loader': { 'under the permission model': PERMISSIONS },
    'house/redaction': {
      'a secret and a key are not printed by console.table': "Bun's console.Console has no table",
      'a key pair prints as little': "Bun's console.Console has no table",
      'v8.serialize()': 'the error has another text',
    },
    'key/encrypted': { 'a key is opened that openssl encrypts': ORACLE },
    'key-set/remote.hostile': { 'a server that does not listen': 'the cause of a fetch has another form' },
    'key-set/remote.process': { 'https works with an authority': 'the cause of a fetch has another form' },
    'limiter/machine.linux': { 'Node opens the file only with the permission': PERMISSIONS },
  },
  deno: {
    ...NOT_NODE,
    'audit/audit': { 'the trail works in an ES module': 'a program of --eval is no ES module in Deno' },
    'key/certificate': { 'the key of a certificate verifies': ORACLE },
    'key/encrypted': ORACLE,
    'key/jwk': ORACLE,
    'token/clock': { 'what is no function is no clock': 'Deno keeps the Date that a test has mocked' },
    'token/memory': FLAGS,
    'token/advisories': { 'CVE-2022-23539': 'node:crypto of Deno cannot export an RSA-PSS key' },
  },
};
