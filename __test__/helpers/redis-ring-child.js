'use strict';

// A process that signs with a key ring on Redis, and rotates it, until it is killed. The argument
// is the port of the server. It prints each token before anything else happens.

const Redis = require('ioredis');

const { JwtIssuer, SecretBuffer } = require('@nodesec/native');
const { RedisKeyRing } = require('@nodesec/native/redis');

async function main(port) {
  const client = new Redis({
    host: '127.0.0.1',
    port,
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
    lazyConnect: true,
  });
  client.on('error', () => {});
  const key = SecretBuffer.from(Buffer.alloc(32, 7));
  const keys = await RedisKeyRing.open({ client, key, alg: 'EdDSA' });
  const issuer = new JwtIssuer({ keys, issuer: 'id', expiresIn: '5m' });
  for (;;) {
    console.log(issuer.sign({ sub: `${process.pid}` }));
    await keys.rotate({ force: true });
  }
}

main(Number(process.argv[2]));
