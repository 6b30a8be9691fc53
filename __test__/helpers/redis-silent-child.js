'use strict';

// A process that opens a list on a server that says nothing, and then has nothing more to do. The
// argument is the port of the server.

const { RevocationList, SecretBuffer } = require('@nodesec/native');
const { RedisRevocations } = require('@nodesec/native/redis');
const Redis = require('ioredis');
const { createClient } = require('redis');

async function main(port) {
  const one = new Redis({ host: '127.0.0.1', port, enableOfflineQueue: false, lazyConnect: true });
  const other = createClient({ socket: { host: '127.0.0.1', port }, disableOfflineQueue: true });
  for (const client of [one, other]) {
    const options = { client, list: new RevocationList(), maxStaleness: 1 };
    const key = SecretBuffer.from(Buffer.alloc(32, 7));
    const error = await RedisRevocations.open({ ...options, key }).catch((reason) => reason);
    if (error.code !== 'ERR_REVOCATION_STORE') process.exitCode = 1;
  }
}

process.exitCode = 0;
main(Number(process.argv[2]));
