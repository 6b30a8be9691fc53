// The suites that do not run on a runtime, and the tests that fail there. A row is a suite with the
// reason why it does not run, or with tests, each by the start of its name and with the reason.

/**
 * Suites that test the checkout and its tools, and not the package, or that start each Node
 * themselves: they run once, on one Node.
 */
export const CHECKOUT = [
  'docs/argon2-types',
  'docs/strictness',
  'docs/typescript',
  'house/abort-on-uncaught.versions',
  'house/codes',
  'house/columns',
  'house/commands',
  'house/docs',
  'house/fuzzed',
  'house/gate',
  'house/gate.tarballs',
  'house/install',
  'house/layers',
  'house/miri',
  'house/preflight',
  'house/sbom',
  'house/supply',
  'house/workflows',
  'service/start',
];

const FLAGS = 'it starts Node with flags that this runtime does not have';
const PERMISSIONS = 'it tests the permission model of Node';
const ORACLE = 'its oracle is the OpenSSL of Node, which reads and writes more keys';
const STRICT = 'node:crypto of Deno, which reads private JWKs here, takes fewer forms of base64url';
const SECURE_CONTEXT = 'the service renews its certificate by setSecureContext, which Bun lacks';
const NO_MODULE = 'a program of --eval is no ES module in Deno';
const KILLED = 'Deno calls a process killed that child.kill() has ended, whatever its status';
const ENVIRONMENT = 'a change of process.env does not reach the environment in Bun';

const NOT_NODE = {
  'docs/revocation': { "without a flag of Node's permission model": PERMISSIONS },
  'dpop/replay': { 'without the permission to write': PERMISSIONS },
  'house/abort-on-uncaught': {
    'every wrong argument of every function is caught': FLAGS,
    'no trap of a proxy runs below a native frame': FLAGS,
  },
  'key/pem': ORACLE,
  'key/rsa-pss': ORACLE,
  'limiter/machine.linux': { 'Node opens the file only with the permission': PERMISSIONS },
};

export const KNOWN = {
  bun: {
    ...NOT_NODE,
    'docs/manual': { 'an example prints what it says: index.d.ts, example 58': ENVIRONMENT },
    'docs/markdown': {
      'a snippet prints what it says: docs/revocation.md, Backups, snippet 1': ENVIRONMENT,
      'a snippet prints what it says: docs/revocation.md, The key, snippet 1': ENVIRONMENT,
    },
    'house/arguments': { 'SecretBuffer.fromEnv refuses': ENVIRONMENT },
    'house/hostile-objects': {
      'SecretBuffer.fromEnv reads options': ENVIRONMENT,
      'SecretBuffer.fromEnv takes options': ENVIRONMENT,
    },
    'house/loader': { 'under the permission model': PERMISSIONS },
    'house/redaction': {
      'a secret and a key are not printed by console.table': "Bun's console.Console has no table",
      'a key pair prints no part': "Bun's console.Console has no table",
      'v8.serialize()': 'the error has another text',
    },
    'key/encrypted': { 'a key is opened that openssl encrypts': ORACLE },
    'key-set/remote.hostile': { 'a server that does not listen': 'the cause of a fetch has another form' },
    'key-set/remote.process': { 'https works with an authority': 'the cause of a fetch has another form' },
    'secret/environment': {
      'a variable is decoded as its encoding says': ENVIRONMENT,
      'wipe: false leaves the variable': ENVIRONMENT,
    },
    'secret/files': { 'the permission model is asked': PERMISSIONS },
    'secret/small-arrays': {
      'no call leaves a copy': 'its process has the table of arguments, whose hooks need a test runner in Bun',
    },
    'service/hardened': SECURE_CONTEXT,
    'service/hardened.browser': SECURE_CONTEXT,
    'service/hardened.hostile': SECURE_CONTEXT,
    'service/hardened.mtls': SECURE_CONTEXT,
    'service/hardened.page': SECURE_CONTEXT,
    'service/hardened.process': PERMISSIONS,
    'service/hardened.programs': SECURE_CONTEXT,
    'service/workers': {
      'a worker that is killed': 'at port 0, each process of a cluster has a port of its own in Bun',
    },
    'token/advisories': { 'CVE-2022-23539': 'node:crypto of Bun generates no RSA-PSS key' },
    'token/memory': {
      'a text that is too long for a token': 'Node-API of Bun joins the parts of a string before it tells its length',
    },
  },
  deno: {
    ...NOT_NODE,
    'audit/audit': { 'the trail works in an ES module': NO_MODULE },
    'docs/markdown': {
      'a snippet prints what it says: docs/revocation.md, One process': NO_MODULE,
    },
    'house/loader': {
      'a damaged native part': "an error of Deno's loader has no code",
      'a platform without a package': 'nothing changes process.platform in Deno',
      'under the permission model': `${PERMISSIONS}; house/deno tests that of Deno`,
      '--no-addons is named': FLAGS,
    },
    'key/certificate': { 'the key of a certificate verifies': ORACLE },
    'key/encrypted': {
      'a key is opened that openssl encrypts': ORACLE,
      'encrypted keys are opened with their passphrase': ORACLE,
    },
    'key/jwk': {
      'a number of a JWK may have leading zeros': STRICT,
      'the public members may be standard base64': STRICT,
      'Node reads each changed JWK': ORACLE,
    },
    'key-set/remote.hostile': { 'a server that does not listen': 'the cause of a fetch has another form' },
    'key-set/remote.process': {
      'https works with an authority': 'the TLS of Deno takes no authority as the certificate of a server',
    },
    'secret/files': { 'the permission model is asked': `${PERMISSIONS}; secret/deno tests that of Deno` },
    'secret/lending': { 'disposeAll() reaches the secrets': 'parentPort has no close in a worker of Deno' },
    'service/hardened': FLAGS,
    'service/hardened.browser': FLAGS,
    'service/hardened.hostile': FLAGS,
    'service/hardened.mtls': FLAGS,
    'service/hardened.page': FLAGS,
    'service/hardened.process': FLAGS,
    'service/hardened.programs': FLAGS,
    'service/service': {
      'auth-service: a request under way': KILLED,
      'fastify-service: a request under way': KILLED,
      'users, keys, pepper and sessions outlast': KILLED,
    },
    'service/workers': {
      'guesses of before a restart': KILLED,
      'a worker that is killed': KILLED,
    },
    'token/clock': { 'a clock that is no function is refused': 'Deno keeps the Date that a test has mocked' },
    'token/advisories': { 'CVE-2022-23539': 'node:crypto of Deno cannot export an RSA-PSS key' },
  },
};
