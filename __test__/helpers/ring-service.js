'use strict';

// A service that signs and verifies with the key ring of a store, as calls for store-child.js.

const { setImmediate: turn, setTimeout: sleep } = require('node:timers/promises');

const { JwtIssuer, JwtVerifier, KeyRing, RevocationList } = require('@nodesec/native');

/** Opens the ring of a store, and returns the calls of the service. */
async function openRing(store, options) {
  const keys = await KeyRing.open(store, options);
  const revocations = new RevocationList({ store });
  const issuer = new JwtIssuer({ keys, issuer: 'id', expiresIn: '5m' });
  const verifier = new JwtVerifier({ keys, issuer: 'id', audience: false, cache: true });
  const listed = new JwtVerifier({ keys, issuer: 'id', audience: false, revocations });
  let rotations = 0;
  const heard = new Map();
  keys.on('change', ({ kid, to }) => {
    if (to === 'active') rotations += 1;
    if (to === undefined) heard.delete(kid);
    else heard.set(kid, to);
  });
  // An older state than one that is heard of, as the listener is called later.
  for (const { kid, state } of keys.list()) heard.set(kid, state);
  const loop = { goesOn: false, ended: undefined };
  let signed = 0;

  /**
   * Signs tokens and prints each until `pause` is called. With `rotates`, it rotates at every fifth
   * token, and signs meanwhile.
   */
  async function work(rotates) {
    let rotation;
    while (loop.goesOn) {
      const token = issuer.sign({ sub: `${process.pid}-${(signed += 1)}` });
      // Synchronous: the token is given out before anything else happens.
      console.log(JSON.stringify({ token }));
      if (rotates && signed % 5 === 0) {
        rotation ??= keys.rotate({ force: true }).finally(() => (rotation = undefined));
      }
      // So slowly that a test can judge all tokens.
      await sleep(1);
    }
    await rotation;
  }

  return {
    sign: () => issuer.sign({ sub: 'ada' }),
    /** The different verdicts about tokens. */
    judgeTokens: (tokens) => [
      ...new Set(
        tokens.map((token) => {
          const result = verifier.tryVerify(token);
          return result.ok ? 'accepted' : result.code;
        }),
      ),
    ],
    judgeListed: (token) => listed.tryVerify(token).code ?? 'accepted',
    jwks: () => keys.jwks(),
    keys: () => keys.list().map(({ kid, state }) => `${kid} ${state}`),
    /** The rotations of all processes that this one has heard of. */
    rotations: () => rotations,
    /** The keys as the changes say that this process has heard of. */
    async heardKeys() {
      // The listener is called in the poll phase, before the check phase.
      await turn();
      await turn();
      return [...heard].map(([kid, state]) => `${kid} ${state}`).sort();
    },
    rotate: async (how) => (await keys.rotate(how)).kid,
    revokeKey: (kid) => keys.revoke(kid),
    revokeKeyAsync: (kid) => keys.revokeAsync(kid),
    tick: (now) => keys.tick(now).map(({ from, to }) => `${from ?? ''}>${to ?? ''}`),
    configure: (given) => keys.configure(given),
    work(rotates) {
      loop.goesOn = true;
      loop.ended = work(rotates);
    },
    async pause() {
      loop.goesOn = false;
      await loop.ended;
    },
  };
}

module.exports = openRing;
