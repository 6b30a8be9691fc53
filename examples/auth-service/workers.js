'use strict';

// Runs the service in several processes that accept connections on one port.

const cluster = require('node:cluster');
const { once } = require('node:events');

/**
 * Starts the workers of a service, and resolves with the address when all of them listen. A worker
 * that dies later is replaced. SIGINT and SIGTERM stop all, and this process ends after the last
 * one.
 */
async function runWorkers(name, count) {
  let isStopping = false;
  const stop = () => {
    isStopping = true;
    for (const worker of Object.values(cluster.workers)) worker.process.kill('SIGTERM');
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);

  const addresses = await Promise.all(Array.from({ length: count }, startWorker)).catch((error) => {
    stop();
    throw error;
  });
  cluster.on('exit', () => {
    if (isStopping) return;
    startWorker().catch((error) => {
      if (isStopping) return;
      console.error(`${name}: ${error.message}`);
      process.exitCode = 1;
      stop();
    });
  });
  return { address: addresses[0] };
}

/** Starts a worker, and resolves with its address when it listens. */
async function startWorker() {
  const worker = cluster.fork();
  const ended = once(worker, 'exit').then(([code, signal]) => {
    throw new Error(`a worker ended with ${signal ?? code} before it listened`);
  });
  const [address] = await Promise.race([once(worker, 'listening'), ended]);
  return address;
}

module.exports = { runWorkers };
