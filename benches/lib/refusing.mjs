// A process that verifies a token without a break until it is refused, for rows/store.mjs. Each
// message is a token; the answer is the moment of the refusal, by the clock of the machine.

import { JwtKey, JwtVerifier, RevocationList, SecretBuffer, Store } from '@nodesec/native';

const [at] = process.argv.slice(2);
const store = await Store.open(at, { key: SecretBuffer.from(Buffer.alloc(32, 9)) });
const keys = JwtKey.fromSecret(Buffer.alloc(32, 7), { alg: 'HS256', kid: 'k1' });
const revocations = new RevocationList({ store });
const verifier = new JwtVerifier({ keys, issuer: false, audience: false, revocations });

process.on('message', (token) => {
  const before = verifier.tryVerify(token);
  if (!before.ok) throw new Error(`the token is refused too early: ${before.code}`);
  process.send('verifying', () => {
    let result;
    do result = verifier.tryVerify(token);
    while (result.ok);
    if (result.code !== 'ERR_JWT_REVOKED') throw new Error(result.code);
    process.send(`${process.hrtime.bigint()}`);
  });
});
process.send('open');
