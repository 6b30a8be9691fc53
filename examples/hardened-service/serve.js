'use strict';

// The parts of an entry point that both services have: the command line, and the orderly end.

const path = require('node:path');
const { parseArgs, promisify } = require('node:util');

const pino = require('pino');
const { toPino } = require('@nodesec/native/audit');

/** The time that running requests get to finish when the service is told to stop. */
const SHUTDOWN_MS = 5_000;

/**
 * Reads the command line. `folders` are options that are required, `others` those with a default.
 */
function commandLine(folders, others) {
  const options = { framework: 'express', host: '127.0.0.1', port: '0', ...others };
  const { values } = parseArgs({
    options: {
      ...Object.fromEntries(folders.map((name) => [name, { type: 'string' }])),
      ...Object.fromEntries(
        Object.entries(options).map(([name, value]) => [name, { type: typeof value, default: value }]),
      ),
    },
  });
  for (const name of folders) {
    if (values[name] === undefined) throw new Error(`--${name} is missing`);
    values[name] = path.resolve(values[name]);
  }
  if (!['express', 'fastify'].includes(values.framework)) {
    throw new Error('--framework must be express or fastify');
  }
  return values;
}

/** Writes the audit trail to standard output, one line of JSON an event. */
function logTrail(name) {
  toPino(pino({ name, base: { name } }, pino.destination({ dest: 1, sync: true })));
}

/** Runs a service: `start` resolves to its server and to the function that ends all else. */
function run(name, start) {
  start().then(
    ({ server, close }) => {
      let isStopping = false;
      const stop = async () => {
        if (isStopping) return;
        isStopping = true;
        setInterval(() => server.closeIdleConnections(), 50).unref();
        setTimeout(() => server.closeAllConnections(), SHUTDOWN_MS).unref();
        await promisify(server.close.bind(server))();
        await close();
        if (process.connected) process.disconnect();
      };
      process.once('SIGINT', stop);
      process.once('SIGTERM', stop);
      // From here on a signal is an orderly end.
      process.send?.({ listening: server.address().port });
    },
    (error) => {
      console.error(`${name}: ${error.code ?? ''} ${error.message}`);
      process.exit(1);
    },
  );
}

module.exports = { commandLine, logTrail, run };
