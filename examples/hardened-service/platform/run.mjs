// The platform of the example on one machine: it issues certificates and runs both services, as
// SPIRE and Kubernetes do in a cluster.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';

import secretFile from '../../auth-service/secret-file.js';
import names from '../names.js';
import { createAuthority, keepIssuing } from './authority.mjs';
import { flagsFor } from './flags.mjs';

const folder = path.resolve(import.meta.dirname, '..');
const { ACCOUNTS_ID, TRAIL_ID, TRUST_DOMAIN } = names;

/** The names of the certificate for browsers. */
const HOST = [{ type: 'dns', value: 'localhost' }, { type: 'ip', value: '127.0.0.1' }];

/**
 * Starts both services with their data below `home`, and resolves when they listen.
 *
 * - `framework`: `express` or `fastify`
 * - `port`: that of the page, 0 for any free one
 * - `lifetimeMs`: the life of certificates, of which half is over when they are replaced
 * - `accessTtl`: the life of access tokens
 */
export async function runServices({
  framework,
  home,
  port = 0,
  lifetimeMs = 5 * 60_000,
  accessTtl = '1m',
}) {
  const within = (...names) => {
    const made = path.join(home, ...names);
    mkdirSync(made, { recursive: true, mode: 0o700 });
    return made;
  };
  const certificates = { accounts: within('certificates', 'accounts'), trail: within('certificates', 'trail') };
  const data = { accounts: within('accounts'), trail: within('trail') };
  const secrets = within('secrets');
  makeSecrets(secrets, data.accounts);

  const authority = await createAuthority(TRUST_DOMAIN);
  const workload = (value) => [{ type: 'url', value }];
  const stopIssuing = await keepIssuing(
    authority,
    [
      { file: path.join(certificates.accounts, 'identity.pem'), names: workload(ACCOUNTS_ID) },
      { file: path.join(certificates.accounts, 'web.pem'), names: HOST },
      { file: path.join(certificates.trail, 'identity.pem'), names: workload(TRAIL_ID) },
    ],
    lifetimeMs,
  );

  const pagePort = port || (await freePort());
  const url = `https://localhost:${pagePort}`;
  const started = [];
  const stop = async () => {
    stopIssuing();
    for (const service of started.toReversed()) await service.stop();
  };
  const start = async (name, options, needs) => {
    const flags = flagsFor(needs);
    const service = await startService(name, flags, { framework, ...options }, path.join(home, `${name}.log`));
    started.push(service);
    return service;
  };

  try {
    const trail = await start(
      'trail',
      {
        certificates: certificates.trail,
        data: data.trail,
        jwks: `https://127.0.0.1:${pagePort}/.well-known/jwks.json`,
      },
      {
        evaluates: framework === 'fastify',
        read: [below(certificates.trail)],
        write: [below(data.trail)],
      },
    );
    const accounts = await start(
      'accounts',
      {
        'access-ttl': accessTtl,
        certificates: certificates.accounts,
        data: data.accounts,
        demonstration: true,
        origin: url,
        port: pagePort,
        secrets,
        trail: `https://127.0.0.1:${trail.port}`,
      },
      {
        evaluates: true,
        read: [below(certificates.accounts), below(data.accounts), below(secrets)],
        write: [below(data.accounts)],
      },
    );
    return { accounts, authority, stop, trail, url };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Makes the secrets that do not exist yet, as a secret store does. Services only read them. */
function makeSecrets(secrets, data) {
  const needed = {
    'audit-key': [],
    'master-key': [path.join(data, 'store')],
    pepper: [path.join(data, 'users.mdb')],
  };
  for (const [name, protects] of Object.entries(needed)) {
    const file = path.join(secrets, name);
    if (!existsSync(file)) secretFile.loadSecret(name, file, protects).dispose();
  }
}

const below = (directory) => `${directory}/*`;

/** Starts one service, and resolves when it listens. Its audit trail goes to the file `log`. */
async function startService(name, flags, options, log) {
  const args = Object.entries(options).map(([option, value]) => {
    return value === true ? `--${option}` : `--${option}=${value}`;
  });
  const out = openSync(log, 'a', 0o600);
  const child = spawn(
    process.execPath,
    [...flags, path.join(folder, `${name}-server.js`), ...args],
    // Nothing of this process's environment, which may have secrets of other programs.
    { env: { NODE_ENV: 'production' }, stdio: ['ignore', out, 'pipe', 'ipc'] },
  );
  closeSync(out);
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (errors += text));
  const ended = once(child, 'close').then(([status, signal]) => status ?? signal);
  const [message] = await Promise.race([
    once(child, 'message'),
    ended.then((status) => {
      throw new Error(errors.trim() || `the service ${name} has ended with ${status}`);
    }),
  ]);
  return {
    ended,
    errors: () => errors,
    flags,
    log,
    pid: child.pid,
    port: message.listening,
    stop() {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

/** A port that is free at the moment. Each service must know the address of the other. */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
