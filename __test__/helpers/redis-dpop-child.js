'use strict';

// A process that checks the requests of its parent with a cache on Redis; its argument is the port.

const Redis = require('ioredis');

const { serviceOn } = require('./redis-dpop.js');

const client = new Redis({ host: '127.0.0.1', port: Number(process.argv[2]) });
const { check } = serviceOn(client);
process.on('message', async ({ request, times }) => {
  const results = await Promise.all(Array.from({ length: times }, () => check(request)));
  process.send({ codes: results.map(({ ok, code }) => (ok ? 'accepted' : code)) });
});
process.send('ready');
