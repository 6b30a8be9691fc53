'use strict';

// A process that revokes tokens on a store all the time, and tells by the lines of its input how it
// judges others. Arguments: the folder of the store, and a name for the ids.

const { createInterface } = require('node:readline');
const path = require('node:path');
const { setImmediate } = require('node:timers/promises');

const {
  JwtIssuer, JwtKey, JwtVerifier, RevocationList, SecretBuffer, Store,
} = require('@nodesec/native');

const [folder, name] = process.argv.slice(2);
const keys = JwtKey.fromSecret(Buffer.alloc(32, 7), { alg: 'HS256' });

(async () => {
  const key = SecretBuffer.from(Buffer.alloc(32, 9));
  const store = await Store.open(path.join(folder, 'store'), { key });
  const revocations = new RevocationList({ store });
  const issuer = new JwtIssuer({ keys, issuer: 'id', expiresIn: '1h' });
  const verifier = new JwtVerifier({ keys, issuer: 'id', audience: false, revocations });
  // Sessions, because the caller knows their ids before a token exists.
  const judge = (sid) => {
    const result = verifier.tryVerify(issuer.sign({ sub: 'a', sid }));
    return result.ok ? 'accepted' : result.code;
  };
  createInterface({ input: process.stdin }).on('line', (line) => {
    const [number, ids] = line.split(' ');
    console.log(`answer ${number} ${ids.split(',').map(judge).join()}`);
  });
  console.log('ready');
  const expires = Math.floor(Date.now() / 1000) + 3600;
  for (let count = 0; ; count++) {
    const sid = `${name}-${count}`;
    await revocations.revokeSession(sid, expires);
    console.log(`revoked ${sid}`);
    await setImmediate();
  }
})();
