// Never run: `npm run types` compiles it. A line under @ts-expect-error must not compile.

import nodesec = require('@nodesec/native');

type Equals<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function same<A, B>(equal: Equals<A, B>): void;
declare const token: string;
declare const secret: nodesec.SecretBuffer;
declare const ring: nodesec.KeyRing;
declare const store: nodesec.Store;

// Passwords
const digest = nodesec.hash('password', { profile: 'owasp', secret });
same<typeof digest, Promise<string>>(true);
const tag = nodesec.hash('password', { raw: true });
same<typeof tag, Promise<Buffer>>(true);
declare const hashOptions: nodesec.HashOptions;
const either = nodesec.hash('password', hashOptions);
same<typeof either, Promise<string | Buffer>>(true);
const text: string = nodesec.hashSync('password', { raw: false });
same<ReturnType<typeof nodesec.verify>, Promise<boolean>>(true);
nodesec.hashSync(new Uint8Array(1), { type: nodesec.argon2id, version: 0x13 });
// @ts-expect-error a number is no password
nodesec.hash(1);
// @ts-expect-error misspelt
nodesec.hash('password', { memorycost: 1 });
// @ts-expect-error there is no such type
nodesec.hash('password', { type: 'bcrypt' });
// @ts-expect-error the digest comes first and is a string
nodesec.verify(new Uint8Array(1), 'password');
nodesec.needsRehash('digest', { profile: 'owasp', secret, policy: 'atLeast' });
// @ts-expect-error no such policy
nodesec.needsRehash('digest', { policy: 'stronger' });
nodesec.verify('digest', 'password', { secret, timeCost: 3, limits: { timeCost: 3 } });
const hasher = new nodesec.PasswordHasher({
  profile: 'owasp',
  policy: 'atLeast',
  peppers: { current: 'k2', keys: { k1: secret, k2: new Uint8Array(16) } },
  legacy: ['bcrypt', 'scrypt', 'pbkdf2', 'django'],
  limits: { memoryCost: 1024, bcryptCost: 12, scryptWork: 2 ** 20, pbkdf2Iterations: 1_000_000 },
});
const updated = hasher.verifyAndUpdate(null, 'password');
same<typeof updated, Promise<{ valid: boolean; newDigest?: string }>>(true);
// @ts-expect-error a policy sets no salt
new nodesec.PasswordHasher({ salt: new Uint8Array(16) });
// @ts-expect-error peppers have a current one
new nodesec.PasswordHasher({ peppers: { keys: { k1: secret } } });
// @ts-expect-error not a scheme that is verified
new nodesec.PasswordHasher({ legacy: ['md5'] });
// @ts-expect-error only verifyAndUpdate accepts null for the digest
hasher.verify(null, 'password');
const { signal } = new AbortController();
nodesec.verify('digest', 'password', { signal });
// @ts-expect-error a synchronous call takes no signal
nodesec.hashSync('password', { signal });
const derived = nodesec.deriveKey('password', new Uint8Array(16), { hashLength: 64, signal });
same<typeof derived, Promise<nodesec.SecretBuffer>>(true);
// @ts-expect-error a key's salt is an argument
nodesec.deriveKey('password', new Uint8Array(16), { salt: new Uint8Array(16) });
nodesec.calibrate({ targetMs: 250, signal }).then(({ options }) => nodesec.hash('x', options));
// @ts-expect-error targetMs is required
nodesec.calibrate({});
nodesec.passwordPool.configure({ maxMemory: 2 ** 29 });
const { queued, p99Ms } = nodesec.passwordPool.stats();
same<[typeof queued, typeof p99Ms], [number, number | undefined]>(true);

// Secrets
const length = secret.use((bytes) => bytes.length);
same<typeof length, number>(true);
// @ts-expect-error a promise outlives the bytes
secret.use(async (bytes) => bytes.length);
const eventually = secret.useAsync(async (bytes) => bytes.length);
same<typeof eventually, Promise<number>>(true);
// @ts-expect-error not constructed
new nodesec.SecretBuffer();
// @ts-expect-error not an encoding
nodesec.SecretBuffer.fromString('00', 'latin1');
nodesec.SecretBuffer.fromFile('secret', { encoding: 'raw', trim: true, maxBytes: 32 });
// @ts-expect-error a path is a string
nodesec.SecretBuffer.fromFile(new URL('file:///secret'));
nodesec.SecretBuffer.fromEnv('SECRET', { encoding: 'base64', wipe: false });
// @ts-expect-error the value of a variable is text, never raw bytes
nodesec.SecretBuffer.fromEnv('SECRET', { encoding: 'raw' });
const sealed: Buffer = secret.seal(secret, { context: 'types' });
nodesec.SecretBuffer.unseal(sealed, secret, { context: 'types' });
// @ts-expect-error a context is required
secret.seal(secret);
nodesec.secureHeap.configure({ maxBytes: 2 ** 26, backend: 'auto', onDegraded: 'error' });
nodesec.secureHeap.configure({ require: ['locked', 'dumpExcluded', 'kernelUnmapped'] });
nodesec.secureHeap.configure({ overflow: 'seal' });
const sealedSecrets: number = nodesec.secureHeap.status().sealedSecrets;
// @ts-expect-error not a backend
nodesec.secureHeap.configure({ backend: 'swap' });
// @ts-expect-error not a protection
nodesec.secureHeap.configure({ require: ['fast'] });

// Tokens
const key = nodesec.JwtKey.fromSecret(secret, { alg: 'HS256' });
// @ts-expect-error a string is never accepted as a secret
nodesec.JwtKey.fromSecret('secret', { alg: 'HS256' });
// @ts-expect-error a key is bound to an algorithm
nodesec.JwtKey.fromSecret(secret, {});
// @ts-expect-error none does not exist
nodesec.JwtKey.generate('none');
declare const cryptoKey: import('node:crypto').webcrypto.CryptoKey;
nodesec.JwtKey.fromKeyObject(cryptoKey, { alg: 'ES256' });
// @ts-expect-error a pair is no key
nodesec.JwtKey.fromKeyObject({ privateKey: cryptoKey, publicKey: cryptoKey }, { alg: 'ES256' });
nodesec.JwtKey.fromCertificate(new Uint8Array(1), { alg: 'ES256', kid: 'k' });
// @ts-expect-error a certificate names no algorithm of JWS
nodesec.JwtKey.fromCertificate('pem');
nodesec.KeyRing.shared('name', { alg: 'ES256', rotateEvery: '30d' }).on('change', ({ kid, to }) => {
  same<typeof kid, string>(true);
  same<typeof to, 'next' | 'active' | 'retired' | 'revoked' | undefined>(true);
});
same<ReturnType<typeof ring.tick>, nodesec.KeyRingChange[]>(true);
nodesec.KeyRing.unseal(ring.seal(secret), secret, { rotateEvery: 3600 });
nodesec.KeyRing.open(store, { alg: 'ES256', jwksMaxAge: '10m', rotateEvery: '30d' }).then((opened) => {
  same<typeof opened, nodesec.KeyRing>(true);
});
// @ts-expect-error a ring of a store takes no keys
nodesec.KeyRing.open(store, { keys: [] });
// @ts-expect-error a directory is no store
nodesec.KeyRing.open('/var/lib/service/store');
same<ReturnType<typeof ring.revokeAsync>, Promise<void>>(true);
ring.configure({ rotateEvery: '7d' });
ring.configure({ rotateEvery: null });
// @ts-expect-error the other options of a ring are fixed
ring.configure({ jwksMaxAge: '1h' });
// @ts-expect-error no other event
ring.on('rotated', () => {});
// @ts-expect-error a shared ring takes no keys
nodesec.KeyRing.shared('name', { keys: [] });
new nodesec.JwtIssuer({ keys: ring, expiresIn: '15m' }).sign({ sub: 'u' }, { audience: ['a'] });
new nodesec.JwtIssuer({ keys: key, expiresIn: 60 }).sign({}, { issuedAt: -60, header: { cty: 'x' } });
// @ts-expect-error expiresIn is required
new nodesec.JwtIssuer({ keys: key });
const imported: nodesec.JwtKey[] = nodesec.JwtKey.fromJwks('{}');
same<ReturnType<typeof nodesec.JwtKey.fromJwks>['ignored'], nodesec.IgnoredKey[]>(true);
nodesec.JwtKey.fromJwks('{}', { algorithms: ['RS256'], use: 'jwt-svid' });
// @ts-expect-error encryption keys are not supported
nodesec.JwtKey.fromJwks({}, { use: 'enc' });
const remote = new nodesec.RemoteJwks(new URL('https://keys.example/'), {
  fetch,
  maxAge: '1h',
  onEvent(event) {
    if (event.type === 'refreshed') same<typeof event.freshFor, number>(true);
    else same<typeof event.error, nodesec.JwtError>(true);
  },
});
new nodesec.JwtVerifier({ keys: remote, issuer: 'i', audience: 'a' });
nodesec.verifyJws(token, remote, { algorithms: ['RS256'] });
nodesec.verifyJws(token, key, { algorithms: ['RS256'], maxBytes: 32_768, padding: 'allow' });
// @ts-expect-error padding is allowed, or not mentioned
nodesec.verifyJws(token, key, { algorithms: ['RS256'], padding: false });
const jws: string = nodesec.signJws(new Uint8Array(), key, { header: { typ: 'dpop+jwt' }, kid: false });
nodesec.signJws(jws, key);
// @ts-expect-error a ring does not sign a JWS
nodesec.signJws('payload', ring);
// @ts-expect-error fetched keys cannot sign
new nodesec.JwtIssuer({ keys: remote, expiresIn: 60 });
// @ts-expect-error a RemoteJwks does not go into a list
new nodesec.JwtVerifier({ keys: [remote], issuer: 'i', audience: 'a' });
const verifier = new nodesec.JwtVerifier({ keys: [key], issuer: 'i', audience: false });
// @ts-expect-error checks are waived explicitly
new nodesec.JwtVerifier({ keys: ring, issuer: 'i' });
// @ts-expect-error true is not a name
new nodesec.JwtVerifier({ keys: ring, issuer: true, audience: 'a' });
const claims = verifier.verify<{ role: string }>(token);
same<typeof claims.role, string>(true);
same<typeof claims.exp, number>(true);
const result = verifier.tryVerify(1 as unknown);
// @ts-expect-error a refused token has no claims
result.claims.sub;
if (result.ok) result.claims.sub?.length;
else same<typeof result.code, nodesec.JwtRejectionCode>(true);
new nodesec.JwtVerifier({
  keys: key,
  issuer: false,
  audience: false,
  requiredClaims: ['client_id'],
  requireExp: false,
  cache: { maxEntries: 10 },
});
// @ts-expect-error names, not one name
new nodesec.JwtVerifier({ keys: key, issuer: false, audience: false, requiredClaims: 'sub' });
same<ReturnType<typeof verifier.verifyAsync<{ role: string }>>, Promise<{ role: string } & nodesec.Claims>>(true);
same<ReturnType<typeof verifier.verifyMany>, Promise<nodesec.VerifyResult<unknown>[]>>(true);

const { code, claims: accepted } = verifier.tryVerify(token);
same<typeof code, nodesec.JwtRejectionCode | undefined>(true);
same<typeof accepted, nodesec.Claims | undefined>(true);
const listed = new nodesec.JwtVerifier({
  keys: key,
  issuer: 'i',
  audience: 'a',
  revocations: new nodesec.RevocationList(),
});
same<ReturnType<typeof listed.verify>['jti' | 'iat'], string | number>(true);
new nodesec.RevocationList().revoke(listed.verify(token));
const anyVerifier: nodesec.JwtVerifier = listed;
// @ts-expect-error without a list nothing says that there is an id
new nodesec.RevocationList().revoke(anyVerifier.verify(token));
const client: string = nodesec.JwtVerifier.accessToken({ keys: key, issuer: 'i', audience: 'a' })
  .verify<{ scope: string }>(token).client_id;

const exact = new nodesec.JwtVerifier({
  keys: key,
  issuer: 'i',
  audience: 'a',
  claims: { token_use: 'access', client_id: ['a', 'b'], level: [1, 'x'], admin: true },
});
const { token_use, client_id, level, admin } = exact.verify(token);
same<[typeof token_use, typeof client_id], [string, string]>(true);
same<[typeof level, typeof admin], [string | number, true]>(true);
const literal = { claims: { tier: 'gold', levels: [1, 2] } } as const;
const { tier, levels } = new nodesec.JwtVerifier({ keys: key, issuer: 'i', audience: 'a', ...literal }).verify(token);
same<[typeof tier, typeof levels], ['gold', 1 | 2]>(true);
declare const anyClaims: Record<string, string>;
const open = new nodesec.JwtVerifier({ keys: key, issuer: 'i', audience: 'a', claims: anyClaims });
same<ReturnType<typeof open.verify>['aud'], string | string[] | undefined>(true);
const tenant: number = nodesec.JwtVerifier.accessToken({
  keys: key,
  issuer: 'i',
  audience: 'a',
  claims: { tenant: 7 },
}).verify(token).tenant;
// @ts-expect-error no patterns
new nodesec.JwtVerifier({ keys: key, issuer: 'i', audience: 'a', claims: { role: /admin/ } });

// Presets
nodesec.JwtVerifier.accessToken({ keys: ring, issuer: 'i', audience: 'a', cache: true });
// @ts-expect-error the audience cannot be waived
nodesec.JwtVerifier.accessToken({ keys: ring, issuer: 'i', audience: false });
// @ts-expect-error typ is fixed
nodesec.JwtVerifier.accessToken({ keys: ring, issuer: 'i', audience: 'a', typ: 'JWT' });
const workloads = nodesec.JwtVerifier.spiffe({ trustDomain: 'd', bundle: { keys: [] }, audience: 'a' });
same<typeof workloads, nodesec.JwtVerifier<nodesec.JwtVerifierOptions, nodesec.JwtSvidClaims>>(true);
const workload: string = workloads.verify(token).sub;
const published = new nodesec.RemoteJwks('https://example.org/bundle', { use: 'jwt-svid' });
nodesec.JwtVerifier.spiffe({ trustDomain: 'd', bundle: published, audience: ['a'] });
// @ts-expect-error trustDomain is required
nodesec.JwtVerifier.spiffe({ bundle: '{}', audience: 'a' });

// SPIFFE
const spiffeId = nodesec.parseSpiffeId('spiffe://example.org/web');
same<typeof spiffeId, nodesec.SpiffeId>(true);
// @ts-expect-error frozen
spiffeId.path = '/admin';
declare const socket: import('node:tls').TLSSocket;
nodesec.spiffeIdOf(socket.getPeerCertificate().raw);
// @ts-expect-error a peer may have no certificate
nodesec.spiffeIdOf(socket.getPeerX509Certificate());
// @ts-expect-error a plain object is not a certificate
nodesec.spiffeIdOf(socket.getPeerCertificate());

// Revocation and sessions
const revocations = new nodesec.RevocationList({ onFull: 'reject-older' });
revocations.on('revoked', ({ missed }) => same<typeof missed, number>(true));
revocations.revokeSession('sid', new Date(), { issuer: 'i' });
// @ts-expect-error a moment is not a string
revocations.revokeId('jti', '2030-01-01');
// @ts-expect-error exp says how long the list keeps the id
revocations.revoke({ jti: 'x' });
declare const issuer: nodesec.JwtIssuer;
new nodesec.Sessions({ issuer: issuer, revocations, store: store, retryUntilUsed: true });
new nodesec.Sessions({ issuer: issuer, revocations, onSessionLimit: 'end-oldest', maxSessionsPerSubject: 5 });
// @ts-expect-error not a reaction
new nodesec.Sessions({ issuer: issuer, revocations, onSessionLimit: 'evict' });
declare const sessions: nodesec.Sessions;
void sessions.refresh(token, { claims: (subject) => ({ of: subject.trim() }) });
void sessions.refresh(token, { claims: async (subject: string) => ({ of: subject }) });
void sessions.refresh(token, { claims: { role: 'user' }, meta: {} });
// @ts-expect-error neither an object nor a function
void sessions.refresh(token, { claims: 'admin' });
void sessions.refresh(token).then((refreshed) => {
  if (refreshed.status === 'rotated') same<typeof refreshed.pair, nodesec.TokenPair>(true);
  if (refreshed.status === 'reuse') same<typeof refreshed.subject, string>(true);
  if (refreshed.status === 'unknown') same<typeof refreshed.pair, undefined>(true);
});

// Limits
const limiter = new nodesec.RateLimiter({ limit: 5, windowMs: 1000 });
same<ReturnType<typeof limiter.check>, boolean>(true);
same<ReturnType<typeof limiter.consume>, nodesec.RateLimitResult>(true);
// @ts-expect-error windowMs is required
new nodesec.RateLimiter({ limit: 5 });
// @ts-expect-error undefined is not a client
limiter.check(undefined);
const composed = new nodesec.RateLimiter({ limits: [{ name: 'a', limit: 5, windowMs: 1000 }], strict: true });
same<ReturnType<typeof composed.stats>, nodesec.RateLimiterStats>(true);
const bytes: Uint8Array = composed.snapshot();
same<ReturnType<typeof composed.peek>['violated'], string[]>(true);
composed.setLimits({ limits: [{ name: 'a', limit: 6, windowMs: 1000 }] });
nodesec.RateLimiter.shared('a', { limit: 5, windowMs: 1000, onFull: 'deny' });
nodesec.RateLimiter.shared('a');
nodesec.RateLimiter.restore(bytes, { limit: 5, windowMs: 1000, algorithm: 'fixed-window' });
// @ts-expect-error one limit and several exclude each other
new nodesec.RateLimiter({ limit: 5, windowMs: 1000, limits: [{ limit: 5, windowMs: 1000 }] });
// @ts-expect-error a penalty has a cost
limiter.penalize('a');

// Proofs of possession
same<ReturnType<nodesec.DpopReplayCache['stats']>, { capacity: number; entries: number }>(true);
new nodesec.DpopReplayCache({ maxEntries: 100, clock: () => new Date() });
// @ts-expect-error a cache of a file has no clock
nodesec.DpopReplayCache.machine('a', { clock: () => new Date() });
declare const proving: nodesec.JwtKey;
const proof: string = nodesec.createDpopProof(proving, { method: 'GET', url: 'https://a/', nonce: 'b' });
// @ts-expect-error a proof is for a method
nodesec.createDpopProof(proving, { url: proof });
same<nodesec.DpopError['code'], nodesec.DpopErrorCode | 'ERR_ACCESS_DENIED'>(true);

// Errors
const error: nodesec.NodesecError = new nodesec.JwtError('ERR_JWT_EXPIRED', 'expired');
same<typeof error.code, nodesec.NodesecErrorCode>(true);
same<nodesec.LimitError['code'], nodesec.LimitErrorCode>(true);
// @ts-expect-error a code of another class
new nodesec.JwtError('ERR_LIMIT_COST', 'no');
// @ts-expect-error misspelt
if (error.code === 'ERR_JWT_EXPIRD') error;

declare const thrown: unknown;
if (thrown instanceof nodesec.NodesecError) {
  if (thrown.code === 'ERR_PASSWORD_BUSY') same<typeof thrown, nodesec.PasswordError>(true);
  if (thrown.code === 'ERR_JWT_CLAIM') same<typeof thrown.claim, string | undefined>(true);
  // @ts-expect-error only after its code has been checked
  thrown.retryAfterMs;
}
if (thrown instanceof nodesec.SecretError) same<typeof thrown, nodesec.SecretError>(true);

// Nothing is `any`
type Any<T> = 0 extends 1 & T ? true : false;
same<Any<ReturnType<typeof nodesec.parseHash>>, false>(true);
same<Any<typeof claims.other>, false>(true);

// JwtVerifiers: the claims of one of the verifiers.
const tenants = new nodesec.JwtVerifiers({
  a: nodesec.JwtVerifier.accessToken({ keys: key, issuer: 'a', audience: 'x' }),
  b: new nodesec.JwtVerifier({
    keys: key,
    issuer: 'b',
    audience: false,
    maxAge: '1h',
    claims: { client_id: ['b'] },
  }),
});
const tenantClient: string = tenants.verify('').client_id;
const tenantIssued: number = tenants.verify<{ role: string }>('').iat;
const tenantRole: string = tenants.verify<{ role: string }>('').role;
// @ts-expect-error Only access tokens must have it.
const tenantId: string = tenants.verify('').jti;
const tenantResult = tenants.tryVerify('');
if (tenantResult.ok) tenantResult.claims.client_id.length;
void tenants.verifyMany(['']).then((results) => results[0]?.code);
const plainTenants: nodesec.JwtVerifiers = new nodesec.JwtVerifiers(
  new Map([['a', new nodesec.JwtVerifier({ keys: key, issuer: 'a', audience: false })]]),
);
void plainTenants.verifyAsync('').then((verified) => verified.sub);
// @ts-expect-error A verifier, not its options.
new nodesec.JwtVerifiers({ a: { keys: key, issuer: 'a', audience: false } });
void [tenantClient, tenantIssued, tenantRole, tenantId];

// A clock for tests
const clock = () => new Date();
new nodesec.JwtIssuer({ keys: key, expiresIn: 60, clock, allowClockInProduction: true });
new nodesec.RateLimiter({ limit: 1, windowMs: 1, clock });
new nodesec.RevocationList({ clock });
nodesec.JwtVerifier.spiffe({ trustDomain: 'd', bundle: { keys: [] }, audience: 'a', clock });
nodesec.JwtVerifier.accessToken({ keys: key, issuer: 'a', audience: 'x', clock });
// @ts-expect-error a Date, not milliseconds
new nodesec.RevocationList({ clock: () => Date.now() });

// The names of npm argon2
import argon2 = require('@nodesec/native/argon2');
same<ReturnType<typeof argon2.verify>, Promise<boolean>>(true);
const npmTag = argon2.hash('password', { raw: true, type: argon2.argon2d });
same<typeof npmTag, Promise<Buffer>>(true);
// @ts-expect-error misspelt
argon2.verify('digest', 'password', { secrets: Buffer.of(1) });
