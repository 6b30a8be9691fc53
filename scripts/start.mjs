// npm start: installs and builds everything that is missing, starts the auth service and visits it
// once. On a terminal the service then stays up. Without a terminal, or with `npm start -- --once`,
// it ends after the visit. `npm start -- --port N` sets the port.

import { mkdtempSync, rmSync } from 'node:fs';
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
  const data = mkdtempSync(path.join(tmpdir(), 'auth-service-'));
  try {
    const service = await startService({ port: options.port, data });
    try {
      await serve(service, interrupted, options);
    } catch (error) {
      console.error(service.log());
      throw error;
    } finally {
      await service.stop();
    }
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
}

async function serve(service, interrupted, { once }) {
  console.log(`The service of examples/auth-service listens on ${service.url}`);
  const outcome = await Promise.race([visit(service.url), interrupted]);
  if (outcome === 'interrupted') throw new Error('Interrupted.');
  console.log('\nEvery answer was the expected one.');
  if (once || !process.stdout.isTTY) return;

  console.log(invitation(service.url));
  const ended = service.ended.then((status) => {
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
