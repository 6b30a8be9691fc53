import assert from 'node:assert/strict';

import { claimsFor } from '../lib/claims.mjs';
import { assertSameVerdicts } from '../lib/token-checks.mjs';
import { makeKey, signersOf, verifiersOf } from '../lib/token-peers.mjs';
import { inTurn, shuffled } from '../lib/work.mjs';

const SIZE = 150;
/** The capacity of each cache, in tokens. */
const ROOM = 2000;

export const rows = ['HS256', 'RS256'].flatMap((alg) =>
  [1, 1000].map((count) => ({
    name: `tokens: verify ${alg} again, ${count === 1 ? 'one token' : `${count} tokens`}, cached`,
    setting:
      `${SIZE} bytes, ${count === 1 ? 'again and again' : 'in shuffled order'}, both caches with ` +
      `${ROOM} places; ours gives the same frozen object and checks times, fast-jwt gives the same one`,
    target: { 'fast-jwt': 2 },
    prepare: () => cached(alg, count),
  })),
);

async function cached(alg, count) {
  const key = makeKey(alg);
  const sign = signersOf(key, claimsFor(SIZE))['@nodesec/native'];
  const tokens = shuffled(Array.from({ length: count }, () => sign()));
  assert.equal(new Set(tokens).size, count);
  const { '@nodesec/native': ours, 'fast-jwt': fastJwt } = verifiersOf(key, ROOM);
  await assertSameVerdicts({ '@nodesec/native': ours, 'fast-jwt': fastJwt }, tokens[0], key);
  // Each token is verified twice: the second result comes from the caches.
  for (const token of [...tokens, ...tokens]) assert.deepEqual(fastJwt(token), ours(token));
  return [
    { name: '@nodesec/native', run: inTurn(tokens, ours) },
    { name: 'fast-jwt', run: inTurn(tokens, fastJwt) },
  ];
}
