'use strict';

// The entry point:
//
//   node examples/auth-service/server.js [--port N] [--data DIR] [--workers N] [--proxies N]
//
// It speaks plain HTTP and listens on this machine's loopback address only. A proxy in front of it
// adds TLS. `--proxies` is the number of proxies, so that the limits see the addresses of clients.

const { once } = require('node:events');
const { createServer } = require('node:http');
const { promisify } = require('node:util');

const { createApp } = require('./app.js');
const { serve } = require('./serve.js');

serve('auth-service', async (parts, { port, host }) => {
  // Bodies are small: a client that needs longer than 10 s to send one only holds the connection.
  const server = createServer({ requestTimeout: 10_000 }, createApp(parts));
  server.listen(port, host);
  await once(server, 'listening');
  return { server, close: promisify(server.close.bind(server)) };
});
