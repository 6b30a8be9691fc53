'use strict';

// Runs a service from its command line to its orderly end: in one process or in several workers.

const cluster = require('node:cluster');
const { mkdirSync } = require('node:fs');
const path = require('node:path');
const { parseArgs } = require('node:util');

const { createSecurity } = require('./security.js');
const { openUsers } = require('./users.js');
const { runWorkers } = require('./workers.js');

const HOST = '127.0.0.1';
/** The time that running requests get to finish when the service is told to stop. */
const SHUTDOWN_MS = 5_000;

/**
 * Runs the service until SIGINT or SIGTERM. `listen(parts, { port, host })` resolves to a server
 * that listens and the function that closes it, as `{ server, close }`.
 */
function serve(name, listen) {
  run(name, listen).catch((error) => {
    console.error(`${name}: ${error.message}`);
    process.exit(1);
  });
}

async function run(name, listen) {
  const { port, data, workers, proxies } = commandLine(name);
  mkdirSync(data, { recursive: true, mode: 0o700 });
  if (cluster.isPrimary && workers > 1) {
    // Makes the secrets and keys that do not exist yet: of several processes, one must be first.
    await (await createSecurity(data)).close();
    const { address } = await runWorkers(name, workers);
    return announce(address);
  }
  const security = await createSecurity(data, { isWorker: cluster.isWorker });
  const users = openUsers(data);
  const { server, close } = await listen({ ...security, proxies, users }, { port, host: HOST });
  if (cluster.isPrimary) announce(server.address());

  let isStopping = false;
  const stop = async () => {
    // A worker may get a signal from the terminal and one from its primary process.
    if (isStopping) return;
    isStopping = true;
    // Idle connections are closed every 50 ms, and the others after `SHUTDOWN_MS`.
    setInterval(() => server.closeIdleConnections(), 50).unref();
    setTimeout(() => server.closeAllConnections(), SHUTDOWN_MS).unref();
    await close();
    await users.close();
    await security.close();
    // The channel to the primary process would keep a worker running.
    cluster.worker?.disconnect();
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}

function announce({ port }) {
  console.log(`listening on http://${HOST}:${port}`);
}

function commandLine(name) {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '3000' },
      data: { type: 'string', default: `${name}-data` },
      workers: { type: 'string', default: '1' },
      proxies: { type: 'string', default: '0' },
    },
  });
  const number = (option, least, most, words = `from ${least} to ${most}`) => {
    const given = Number(values[option]);
    if (/^\d+$/.test(values[option]) && given >= least && given <= most) return given;
    throw new Error(`--${option} must be ${words}, not ${values[option]}`);
  };
  return {
    port: number('port', 0, 65_535, 'from 0 (any free one) to 65535'),
    data: path.resolve(values.data),
    workers: number('workers', 1, 64),
    proxies: number('proxies', 0, 10),
  };
}

module.exports = { serve };
