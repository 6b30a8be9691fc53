// npm start: installs and builds everything that is missing, starts the auth service and visits it
// once. On a terminal the service then stays up. Without a terminal, or with `npm start -- --once`,
// it ends after the visit. `npm start -- --port N` sets the port.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { ensureBuilt, ensureDependencies, needsBuild } from './lib/ensure.mjs';
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
    options: { port: { type: 'string', default: '0' }, once: { type: 'boolean', default: false } },
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
    await serve(serviceIn(folder, options.port), interrupted, options);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Starts the service with its data, its store and its secrets in directories of their own. */
function serviceIn(folder, port) {
  const [data, secrets] = ['data', 'secrets'].map((name) => path.join(folder, name));
  mkdirSync(secrets, { mode: 0o700 });
  const env = {
    AUTH_STORE: path.join(folder, 'store'),
    AUTH_MASTER_KEY_FILE: path.join(secrets, 'master-key'),
    AUTH_PEPPER_FILE: path.join(secrets, 'pepper'),
  };
  const service = {
    /** The process that runs now, or the promise of it. */
    running: startService({ port, data, env }),
    /** Kills the process, starts another on the same port and resolves to its URL. */
    async crash() {
      const killed = await service.running;
      const again = { port: new URL(killed.url).port, data, env };
      service.running = killed.kill().then(() => startService(again));
      return (await service.running).url;
    },
  };
  return service;
}

async function serve(service, interrupted, options) {
  try {
    await stay(service, interrupted, options);
  } catch (error) {
    const running = await service.running.catch(() => undefined);
    if (running !== undefined) console.error(running.log());
    throw error;
  } finally {
    const running = await service.running.catch(() => undefined);
    await running?.stop();
  }
}

async function stay(service, interrupted, { once }) {
  const { url } = await service.running;
  console.log(`The service of examples/auth-service listens on ${url}`);
  const outcome = await Promise.race([visit(url, service.crash), interrupted]);
  if (outcome === 'interrupted') throw new Error('Interrupted.');
  console.log('\nEvery answer was the expected one.');
  if (once || !process.stdout.isTTY) return;

  console.log(invitation(url));
  const { ended: end } = await service.running;
  const ended = end.then((status) => {
    throw new Error(`The service has ended with status ${status}.`);
  });
  await Promise.race([ended, interrupted]);
  // From here on the service may end: the rejection is expected.
  ended.catch(() => {});
}

function invitation(url) {
  const post = `curl -s -H 'Content-Type: application/json' -d`;
  const you = `'{"username":"grace","password":"nanoseconds of wire"}'`;
  return `
The service stays up until Ctrl-C. To try:

  ${post} ${you} ${url}/register
  ${post} ${you} ${url}/login
  curl -s -H 'Authorization: Bearer <accessToken>' ${url}/me
`;
}
