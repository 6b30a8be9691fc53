// Runs a service of examples/ in a process of its own.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

import { root } from './run.mjs';

/**
 * Starts the service of an example on a port, 0 for any free one, and resolves when it listens.
 * `env` is added to the environment; `more` are further options of the command line.
 */
export async function startService({ example = 'auth-service', port = 0, data, env, ...more }) {
  const server = path.join(root, 'examples', example, 'server.js');
  const options = Object.entries({ port, data, ...more }).flatMap(([name, value]) => [`--${name}`, `${value}`]);
  const child = spawn(process.execPath, [server, ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) {
    child[name].setEncoding('utf8').on('data', (text) => (output[name] += text));
  }
  // 'close' comes after 'exit', when the output is complete.
  const ended = once(child, 'close').then(([status]) => status);
  const url = await Promise.race([
    listening(child, output),
    ended.then((status) => {
      throw new Error(output.stderr.trim() || `the service ended with status ${status}`);
    }),
  ]);

  return {
    url,
    pid: child.pid,
    /** Resolves with the exit status. */
    ended,
    /** The log of the service so far. */
    log: () => output.stderr,
    stop() {
      child.kill('SIGTERM');
      return ended;
    },
    /** Ends the service as a crash does: no code of it runs any more. */
    kill() {
      child.kill('SIGKILL');
      return ended;
    },
  };
}

async function listening(child, output) {
  for (;;) {
    await once(child.stdout, 'data');
    const [, url] = /^listening on (\S+)\n/m.exec(output.stdout) ?? [];
    if (url !== undefined) return url;
  }
}
