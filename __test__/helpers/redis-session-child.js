'use strict';

// A process with sessions on Redis, which makes the calls that its parent sends. The arguments are
// the port of the sessions, which may be a proxy's, that of the server, and the options as JSON.

const { RevocationList } = require('@nodesec/native');
const { RedisRevocations } = require('@nodesec/native/redis');
const Redis = require('ioredis');
const { secretKey } = require('./redis-revocations.js');
const { makeSessions } = require('./redis-sessions.js');

const SETTINGS = {
  host: '127.0.0.1',
  autoResendUnfulfilledCommands: false,
  enableOfflineQueue: false,
  lazyConnect: true,
  maxRetriesPerRequest: 1,
  retryStrategy: () => 1,
};

async function main([sessionsPort, serverPort, options]) {
  const [client, direct] = [sessionsPort, serverPort].map((port) => {
    const made = new Redis({ ...SETTINGS, port: Number(port) });
    return made.on('error', () => {});
  });
  const revocations = new RevocationList();
  await RedisRevocations.open({ client: direct, list: revocations, key: secretKey(), maxStaleness: 60 });
  const { sessions, judge } = makeSessions(client, { revocations, ...JSON.parse(options) });
  process.on('message', async ({ number, call, args }) => {
    try {
      const value = call === 'judge' ? judge(...args) : await sessions[call](...args);
      process.send({ number, value });
    } catch ({ code, message }) {
      process.send({ number, code, message });
    }
  });
  process.send({ number: 0 });
}

main(process.argv.slice(2));
