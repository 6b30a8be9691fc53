'use strict';

// A cluster of four processes that use everything when they are told. The first is killed in the
// middle of it; then the others use everything again, and so does the primary.

const cluster = require('node:cluster');
const { once } = require('node:events');

const { useEverything } = require('./everything.js');

if (cluster.isPrimary) {
  lead();
} else {
  process.on('message', async () => {
    await useEverything();
    process.send('used');
  });
}

async function lead() {
  const workers = Array.from({ length: 4 }, () => cluster.fork());
  await Promise.all(workers.map((worker) => once(worker, 'online')));
  const first = await Promise.all(workers.map(told));
  const [killed, ...others] = workers;
  const exit = once(killed, 'exit');
  killed.send('use everything');
  killed.process.kill('SIGKILL');
  const second = await Promise.all(others.map(told));
  const [, by] = await exit;
  await useEverything();
  for (const worker of others) worker.disconnect();
  console.log(JSON.stringify({ first, by, second }));
}

/** Tells a process to use everything. Resolves to its answer. */
async function told(worker) {
  const answer = once(worker, 'message');
  worker.send('use everything');
  return (await answer)[0];
}
