'use strict';

// A process with a list on Redis, which revokes and waits as its parent says. The argument is the
// port of the server.

const { RevocationList, SecretBuffer } = require('@nodesec/native');
const { RedisRevocations } = require('@nodesec/native/redis');
const Redis = require('ioredis');

async function main(port) {
  const client = new Redis({ host: '127.0.0.1', port, autoResendUnfulfilledCommands: false, enableOfflineQueue: false, lazyConnect: true });
  client.on('error', () => {});
  const list = new RevocationList();
  const key = SecretBuffer.from(Buffer.alloc(32, 7));
  await RedisRevocations.open({ client, list, key, maxStaleness: 2 });
  const exp = Math.floor(Date.now() / 1000) + 600;
  process.on('message', async ({ revoke, waitFor }) => {
    if (revoke !== undefined) {
      await list.revokeId(revoke, exp);
      process.send({ revoked: revoke });
      return;
    }
    while (!list.isRevoked({ jti: waitFor })) await new Promise(setImmediate);
    process.send({ refused: waitFor });
  });
  process.send('ready');
}

main(Number(process.argv[2]));
