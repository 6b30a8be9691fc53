// The cost of the audit trail without a subscriber. The peer is a copy of the façade from which the
// lines that publish are removed, over the same native part.

import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import * as published from '@nodesec/native';
import { toPino } from '@nodesec/native/audit';
import pino from 'pino';

import { AUDIENCE, ISSUER, TTL } from '../lib/claims.mjs';
import { measure, median } from '../lib/measure.mjs';
import { duration, verdict } from '../lib/report.mjs';
import { inTurn, shuffled } from '../lib/work.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const PUBLISHES = /^ {4}(?:if \(.*\) )?publish(?:Denial|Refusal)\(.*\n/gm;
const TOKENS = 1000;
const KEYS = 1000;
const AT_MOST = 1.01;
const EVENT_AT_MOST_NS = 5000;

export const rows = [
  {
    name: 'audit: verify HS256, no subscriber',
    setting: `${TOKENS} accepted tokens in shuffled order, beside a façade that never publishes`,
    atMost: AT_MOST,
    prepare: () => {
      const tokens = shuffled(Array.from({ length: TOKENS }, (_, i) => sign({ sub: `u-${i}` })));
      return pair(({ verifier }) => inTurn(tokens, (token) => verifier.verify(token)));
    },
  },
  {
    name: 'audit: refuse HS256, no subscriber',
    setting: `tryVerify of ${TOKENS} tokens with a wrong signature`,
    atMost: 1.05,
    prepare: () => {
      const tokens = Array.from({ length: TOKENS }, (_, i) => forged(sign({ sub: `u-${i}` })));
      return pair(({ verifier }) => inTurn(tokens, (token) => verifier.tryVerify(token)));
    },
  },
  {
    name: 'audit: check of a limiter, no subscriber',
    setting: `${KEYS} keys in shuffled order, every request allowed`,
    atMost: AT_MOST,
    prepare: () => limiterRow(1_000_000_000),
  },
  {
    name: 'audit: check of a limiter that denies, no subscriber',
    setting: `${KEYS} keys in shuffled order, every request but the first of a key denied`,
    // The look at the channel takes a few nanoseconds.
    atMost: 1.1,
    prepare: () => limiterRow(1),
  },
  {
    name: 'audit: refuse HS256, with a subscriber',
    setting: 'the subscriber drops the event; how many refusals an event costs',
    prepare: async () => {
      const { subscribe, unsubscribe } = await import('node:diagnostics_channel');
      const token = forged(sign({ sub: 'u-1' }));
      const { verifier } = objectsOf(published);
      const refuse = inTurn([token], () => verifier.tryVerify(token));
      const drop = () => {};
      const watched = (n) => {
        subscribe('nodesec:token.refused', drop);
        refuse(n);
        unsubscribe('nodesec:token.refused', drop);
      };
      return [
        { name: 'with a subscriber', run: watched },
        { name: 'without', run: refuse },
      ];
    },
  },
];

rows.push({
  name: 'audit: an event to pino',
  setting: 'a refused token with a subscriber that is pino over a sink, less the refusal itself',
  observe: toPinoAlone,
});

/** The time of an event: that of a refusal with pino, without that of a refusal. */
async function toPinoAlone({ quick }) {
  const token = forged(sign({ sub: 'u-1' }));
  const { verifier } = objectsOf(published);
  const refuse = inTurn([token], () => verifier.tryVerify(token));
  let lines = 0;
  const logger = pino({}, { write: () => (lines += 1) });
  const logged = (n) => {
    const stop = toPino(logger);
    refuse(n);
    stop();
  };
  logged(3);
  assert.equal(lines, 3);
  const contestants = [{ name: 'with pino', run: logged }, { name: 'without', run: refuse }];
  const [watched, bare] = (await measure(contestants, { quick })).map(({ samples }) => samples);
  const event = median(watched.map((time, round) => time - bare[round]));
  return `  an event takes ${duration(event)}, ${verdict(event <= EVENT_AT_MOST_NS, 'at most 5 µs')}\n`;
}

const secret = Buffer.alloc(32, 7);

/** A verifier of one of the two façades, and the façade itself. */
function objectsOf(facade) {
  const keys = facade.JwtKey.fromSecret(secret, { alg: 'HS256', kid: 'k1' });
  const verifier = new facade.JwtVerifier({ keys, issuer: ISSUER, audience: AUDIENCE });
  return { facade, verifier };
}

function sign(claims) {
  const keys = published.JwtKey.fromSecret(secret, { alg: 'HS256', kid: 'k1' });
  const options = { keys, issuer: ISSUER, audience: AUDIENCE, expiresIn: TTL };
  return new published.JwtIssuer(options).sign(claims);
}

function forged(token) {
  const signature = token.slice(token.lastIndexOf('.') + 1);
  return token.replace(signature, (signature[0] === 'A' ? 'B' : 'A') + signature.slice(1));
}

function limiterRow(limit) {
  const keys = shuffled(Array.from({ length: KEYS }, (_, i) => `client:${String(i).padStart(11, '0')}`));
  return pair(({ facade }) => {
    const limiter = new facade.RateLimiter({ limit, windowMs: 86_400_000, burst: limit });
    for (const key of keys) assert.equal(limiter.check(key), true);
    for (const key of keys.slice(0, 10)) assert.equal(limiter.check(key), limit > 1);
    return inTurn(keys, (key) => limiter.check(key));
  });
}

/** Both façades are new copies, so that V8 has learnt nothing about one of them in other rows. */
function pair(runOf) {
  const [ours, silent] = [true, false].map((publishes) => runOf(objectsOf(copy(publishes))));
  return [
    { name: '@nodesec/native', run: ours },
    { name: '@nodesec/native, never publishes', run: silent },
  ];
}

let copies = 0;

/** Loads a copy of the façade, with or without the lines that publish. */
function copy(publishes) {
  copies += 1;
  const folder = path.join(root, 'target', 'bench-audit', `${copies}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const name of ['index.js', 'lib', 'package.json']) {
    cpSync(path.join(root, name), path.join(folder, name), { recursive: true });
  }
  symlinkSync(path.join(root, 'npm'), path.join(folder, 'npm'));
  for (const [name, lines] of Object.entries({ verifier: 1, limiter: 2 })) {
    const file = path.join(folder, 'lib', `${name}.js`);
    const text = readFileSync(file, 'utf8');
    assert.equal(text.match(PUBLISHES)?.length, lines, name);
    if (!publishes) writeFileSync(file, text.replaceAll(PUBLISHES, ''));
  }
  return createRequire(import.meta.url)(path.join(folder, 'index.js'));
}
