// Uses every capability of the installed package once, and checks the answers. scripts/smoke.mjs
// copies it into a project.

import {
  JwtIssuer, JwtKey, JwtVerifier, KeyRing, RateLimiter, RevocationList, SecretBuffer, Sessions,
  hash, secureHeap, verify,
} from '@nodesec/native';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';

const require = createRequire(import.meta.url);
assert.equal(require('@nodesec/native').hash, hash);

const entries = Object.keys(require('@nodesec/native/package.json').exports);
for (const entry of entries.filter((name) => !name.endsWith('.json'))) {
  const name = path.posix.join('@nodesec/native', entry);
  assert.equal((await import(name)).default, require(name), name);
}

const digest = await hash('correct horse');
assert.deepEqual([await verify(digest, 'correct horse'), await verify(digest, 'wrong')], [true, false]);

const names = { issuer: 'https://id.example', audience: 'api' };
for (const alg of ['HS256', 'RS256', 'PS256', 'ES256', 'EdDSA']) {
  const keys = await JwtKey.generate(alg);
  const token = new JwtIssuer({ keys, ...names, expiresIn: '5m' }).sign({ sub: 'ada' });
  assert.equal(new JwtVerifier({ keys, ...names }).verify(token).sub, 'ada', alg);
}

const keys = new KeyRing({ alg: 'ES256' });
await keys.rotate();
const folder = mkdtempSync(path.join(tmpdir(), 'nodesec-smoke-store-'));
const revocations = await RevocationList.open(path.join(folder, 'store'), { key: SecretBuffer.random(32) });
const issuer = new JwtIssuer({ keys, ...names, expiresIn: '5m' });
const verifier = new JwtVerifier({ keys, ...names, revocations });
const sessions = new Sessions({ issuer, revocations });
const { accessToken, refreshToken } = await sessions.start('ada');
assert.equal((await sessions.refresh(refreshToken)).status, 'rotated');
assert.equal(verifier.verify(accessToken).sub, 'ada');
await sessions.endAll('ada');
assert.equal(verifier.tryVerify(accessToken).code, 'ERR_JWT_REVOKED');
await revocations.close();
rmSync(folder, { recursive: true });

const limiter = new RateLimiter({ limit: 1, windowMs: 60_000 });
assert.deepEqual([limiter.check('ada'), limiter.check('ada')], [true, false]);

const secret = SecretBuffer.random(32);
const [master, context] = [SecretBuffer.random(32), 'smoke'];
const unsealed = SecretBuffer.unseal(secret.seal(master, { context }), master, { context });
assert.ok(unsealed.equals(secret));

const { backend, locked } = secureHeap.status();
const { platform, arch, version } = process;
console.log(`${platform} ${arch}, Node ${version}: every answer is right.`);
console.log(`Secrets are in memory of ${backend}, locked: ${locked}.`);
