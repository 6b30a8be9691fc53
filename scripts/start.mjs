// npm start: installs and builds everything that is missing, starts both example services and makes
// the same visit to each. On a terminal the services then stay up. Without a terminal, or with
// `npm start -- --once`, they end after the visits. `npm start -- --port N` sets the port of the
// first. `npm start -- --redis` starts a redis-server and two instances of the first service on it
// instead, visits both, and ends.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { ensureBuilt, ensureDependencies, needsBuild } from './lib/ensure.mjs';
import { visitInstances } from './lib/instances.mjs';
import { startService } from './lib/service.mjs';
import { requireTools } from './lib/toolchain.mjs';
import { visit } from './lib/visit.mjs';

try {
  const options = commandLine();
  // A missing compiler is reported before anything is installed.
  if (needsBuild()) requireTools();
  await ensureDependencies();
  await ensureBuilt();
  await demonstrate(options);
} catch (error) {
  console.error(`\n${error.message}`);
  process.exitCode = 1;
}

function commandLine() {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '0' },
      once: { type: 'boolean', default: false },
      redis: { type: 'boolean', default: false },
    },
  });
  return values;
}

/** Resolves when the user or another process interrupts this one. */
function interruption() {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => resolve('interrupted'));
  });
}

async function demonstrate(options) {
  const interrupted = interruption();
  const folder = mkdtempSync(path.join(tmpdir(), 'auth-service-'));
  try {
    if (options.redis) return await visitOverRedis(folder, interrupted, options);
    const ports = { 'auth-service': options.port, 'fastify-service': '0' };
    const services = Object.entries(ports).map(([example, port]) => serviceIn(folder, example, port));
    await serve(services, interrupted, options);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function visitOverRedis(folder, interrupted, { port }) {
  const { ended, stop } = visitInstances(folder, port);
  try {
    const outcome = await Promise.race([ended, interrupted]);
    if (outcome === 'interrupted') throw new Error('Interrupted.');
    console.log('\nEvery answer was the expected one.');
  } finally {
    await stop();
  }
}

/** Starts a service with its data, its store and its secrets in directories of their own. */
function serviceIn(folder, example, port) {
  const within = (name) => path.join(folder, example, name);
  mkdirSync(within('secrets'), { recursive: true, mode: 0o700 });
  const env = {
    AUTH_STORE: within('store'),
    AUTH_MASTER_KEY_FILE: path.join(within('secrets'), 'master-key'),
    AUTH_PEPPER_FILE: path.join(within('secrets'), 'pepper'),
  };
  const options = { example, data: within('data'), env };
  const service = {
    example,
    /** The process that runs now, or the promise of it. */
    running: startService({ ...options, port }),
    /** Kills the process, starts another on the same port and resolves to its URL. */
    async crash() {
      const killed = await service.running;
      const { port: same } = new URL(killed.url);
      service.running = killed.kill().then(() => startService({ ...options, port: same }));
      return (await service.running).url;
    },
  };
  // The rejection reaches the code that waits for the service, which may begin to wait later.
  service.running.catch(() => {});
  return service;
}

async function serve(services, interrupted, options) {
  const running = async () => {
    const settled = await Promise.allSettled(services.map((service) => service.running));
    return settled.flatMap(({ value }) => value ?? []);
  };
  try {
    await stay(services, interrupted, options);
  } catch (error) {
    for (const { log } of await running()) console.error(log());
    throw error;
  } finally {
    for (const { stop } of await running()) await stop();
  }
}

async function stay(services, interrupted, { once }) {
  const outcome = await Promise.race([visitAll(services), interrupted]);
  if (outcome === 'interrupted') throw new Error('Interrupted.');
  console.log('\nEvery answer was the expected one.');
  if (once || !process.stdout.isTTY) return;

  const running = await Promise.all(services.map((service) => service.running));
  console.log(invitation(running.map(({ url }) => url)));
  const ends = running.map(async ({ ended, url }) => {
    throw new Error(`The service on ${url} has ended with status ${await ended}.`);
  });
  await Promise.race([...ends, interrupted]);
  // From here on the services may end: the rejections are expected.
  for (const end of ends) end.catch(() => {});
}

/** Makes the visits side by side, and prints them one after the other. */
async function visitAll(services) {
  const visits = services.map((service) => {
    const visited = told(service);
    visited.ended.catch(() => {});
    return visited;
  });
  for (const { ended, print } of visits) {
    print();
    await ended;
  }
}

/** Makes the visit to a service. Its lines wait until `print` is called. */
function told({ example, running, crash }) {
  const lines = [];
  let write = (line) => lines.push(line);
  const ended = running.then(({ url }) => {
    write(`\nThe service of examples/${example} listens on ${url}`);
    return visit(url, crash, (line) => write(line));
  });
  const print = () => {
    write = console.log;
    for (const line of lines) write(line);
  };
  return { ended, print };
}

function invitation([url, ...others]) {
  const post = `curl -s -H 'Content-Type: application/json' -d`;
  const you = `'{"username":"grace","password":"nanoseconds of wire"}'`;
  return `
The service stays up until Ctrl-C, and so does that on ${others}. To try:

  ${post} ${you} ${url}/register
  ${post} ${you} ${url}/login
  curl -s -H 'Authorization: Bearer <accessToken>' ${url}/me
`;
}
