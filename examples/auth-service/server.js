'use strict';

// The entry point: `node examples/auth-service/server.js [--port N] [--data DIR] [--workers N]`
//
// It speaks plain HTTP and listens on this machine's loopback address only. A proxy in front of it
// adds TLS. Then set Express's `trust proxy`, so that Express takes the client's address from the
// proxy.

const cluster = require('node:cluster');
const { mkdirSync } = require('node:fs');
const { createServer } = require('node:http');
const path = require('node:path');
const { parseArgs } = require('node:util');

const { createApp } = require('./app.js');
const { createSecurity } = require('./security.js');
const { openUsers } = require('./users.js');
const { runWorkers } = require('./workers.js');

const HOST = '127.0.0.1';
/** The time that running requests get to finish when the service is told to stop. */
const SHUTDOWN_MS = 5_000;

async function main() {
  const { port, data, workers } = commandLine();
  mkdirSync(data, { recursive: true, mode: 0o700 });
  if (cluster.isPrimary && workers > 1) {
    // Makes the secrets and keys that do not exist yet: of several processes, one must be first.
    await (await createSecurity(data)).close();
    const { address } = await runWorkers(workers);
    return announce(address);
  }
  const security = await createSecurity(data, { isWorker: cluster.isWorker });
  const users = openUsers(data);
  // Bodies are small: a client that needs longer than 10 s to send one only holds the connection.
  const server = createServer({ requestTimeout: 10_000 }, createApp({ ...security, users }));

  server.on('error', fail);
  server.listen(port, HOST, () => {
    if (cluster.isPrimary) announce(server.address());
  });

  let isStopping = false;
  const stop = () => {
    // A worker may get a signal from the terminal and one from its primary process.
    if (isStopping) return;
    isStopping = true;
    // Idle connections are closed every 50 ms, and the others after `SHUTDOWN_MS`.
    setInterval(() => server.closeIdleConnections(), 50).unref();
    setTimeout(() => server.closeAllConnections(), SHUTDOWN_MS).unref();
    server.close(async () => {
      await users.close();
      await security.close();
      // The channel to the primary process would keep a worker running.
      cluster.worker?.disconnect();
    });
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}

function announce({ port }) {
  console.log(`listening on http://${HOST}:${port}`);
}

function commandLine() {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '3000' },
      data: { type: 'string', default: 'auth-service-data' },
      workers: { type: 'string', default: '1' },
    },
  });
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new Error(`--port must be from 0 (any free one) to 65535, not ${values.port}`);
  }
  const workers = Number(values.workers);
  if (!Number.isInteger(workers) || workers < 1 || workers > 64) {
    throw new Error(`--workers must be from 1 to 64, not ${values.workers}`);
  }
  return { port, data: path.resolve(values.data), workers };
}

function fail(error) {
  console.error(`auth-service: ${error.message}`);
  process.exit(1);
}

main().catch(fail);
