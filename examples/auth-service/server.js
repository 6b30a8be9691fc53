'use strict';

// The entry point: `node examples/auth-service/server.js [--port N] [--data DIR]`
//
// It speaks plain HTTP and listens on this machine's loopback address only. A proxy in front of it
// adds TLS. Then set Express's `trust proxy`, so that Express takes the client's address from the
// proxy.

const { mkdirSync } = require('node:fs');
const { createServer } = require('node:http');
const path = require('node:path');
const { parseArgs } = require('node:util');

const { createApp } = require('./app.js');
const { createSecurity } = require('./security.js');
const { openUsers } = require('./users.js');

const HOST = '127.0.0.1';
/** The time that running requests get to finish when the service is told to stop. */
const SHUTDOWN_MS = 5_000;

async function main() {
  const { port, data } = commandLine();
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const security = await createSecurity(data);
  const users = openUsers(data);
  // Bodies are small: a client that needs longer than 10 s to send one only holds the connection.
  const server = createServer({ requestTimeout: 10_000 }, createApp({ ...security, users }));

  server.on('error', fail);
  server.listen(port, HOST, () => {
    console.log(`listening on http://${HOST}:${server.address().port}`);
  });

  const stop = () => {
    // Idle connections are closed every 50 ms, and the others after `SHUTDOWN_MS`.
    setInterval(() => server.closeIdleConnections(), 50).unref();
    setTimeout(() => server.closeAllConnections(), SHUTDOWN_MS).unref();
    server.close(async () => {
      await users.close();
      await security.close();
    });
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}

function commandLine() {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '3000' },
      data: { type: 'string', default: 'auth-service-data' },
    },
  });
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new Error(`--port must be from 0 (any free one) to 65535, not ${values.port}`);
  }
  return { port, data: path.resolve(values.data) };
}

function fail(error) {
  console.error(`auth-service: ${error.message}`);
  process.exit(1);
}

main().catch(fail);
