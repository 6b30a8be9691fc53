import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';

import { JwtIssuer, JwtVerifier, RevocationList } from '@nodesec/native';

import { AUDIENCE, ISSUER, seconds, TTL } from '../lib/claims.mjs';
import { makeKey } from '../lib/token-peers.mjs';
import { inTurn, shuffled } from '../lib/work.mjs';

export const ENTRIES = 1_000_000;
const TOKENS = 10_000;

export const rows = [
  {
    name: 'tokens: verify HS256 with a revocation list of 1,000,000 entries',
    setting:
      'a quarter each of ids, sessions, subjects and keys, every other one of one issuer; 10,000 ' +
      'tokens with jti, sid, sub and iss in shuffled order, none revoked',
    atMost: 1.15,
    prepare: () => besideNoList(fullList()),
  },
];

/** A verifier with a list beside one without. */
export function besideNoList(revocations) {
  const key = makeKey('HS256').own;
  const expected = { keys: key, issuer: ISSUER, audience: AUDIENCE };
  const [checking, trusting] = [
    new JwtVerifier({ ...expected, revocations }),
    new JwtVerifier(expected),
  ];
  const issuer = new JwtIssuer({ ...expected, expiresIn: TTL });
  const tokens = shuffled(
    Array.from({ length: TOKENS }, (_, i) => issuer.sign({ sub: `u-${i}`, sid: randomUUID() })),
  );
  for (const token of tokens) assert.deepEqual(checking.verify(token), trusting.verify(token));
  assertRefuses(checking, revocations, issuer);
  return [
    { name: '@nodesec/native', run: inTurn(tokens, (token) => checking.verify(token)) },
    { name: '@nodesec/native, no list', run: inTurn(tokens, (token) => trusting.verify(token)) },
  ];
}

function fullList() {
  const list = new RevocationList({ maxEntries: ENTRIES + 4 });
  const later = seconds() + TTL;
  for (let i = 0; i < ENTRIES / 4; i += 1) {
    const scope = i % 2 ? { issuer: ISSUER } : undefined;
    list.revokeIdSync(randomUUID(), later, scope);
    list.revokeSessionSync(randomUUID(), later, scope);
    list.revokeSubjectSync(`gone-${i}`, undefined, scope);
    list.revokeKeySync(`old-${i}`);
  }
  const { ids, sessions, subjects, keys } = list.stats();
  assert.equal(ids + sessions + subjects + keys, ENTRIES);
  return list;
}

/**
 * Checks that the verifier refuses a token revoked by id, session or subject, but no other token.
 */
function assertRefuses(verifier, list, issuer) {
  const later = seconds() + TTL;
  const [byId, bySession, bySubject, spared] = Array.from({ length: 4 }, () =>
    issuer.sign({ sub: randomUUID(), sid: randomUUID() }),
  );
  list.revokeIdSync(verifier.verify(byId).jti, later, { issuer: ISSUER });
  list.revokeSessionSync(verifier.verify(bySession).sid, later);
  list.revokeSubjectSync(verifier.verify(bySubject).sub, undefined, { issuer: ISSUER });
  for (const token of [byId, bySession, bySubject]) {
    assert.throws(() => verifier.verify(token), { code: 'ERR_JWT_REVOKED' });
  }
  verifier.verify(spared);
}
