'use strict';

const { spawn, spawnSync } = require('node:child_process');
const { readFileSync, readdirSync } = require('node:fs');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');

const { RUNTIME } = require('./child.js');
const { missing } = require('./peers.js');

const CHILD = path.join(__dirname, 'store-child.js');

/** A `StoreService` in a process of its own; see store-child.js. */
class StoreProcess {
  #calls = new Map();
  #last = 0;
  /** The sessions that `revokeForever` has revoked. */
  revoked = [];
  /** The tokens that ring-service.js has given out. */
  tokens = [];

  /** `command` is put in front of Node; it ends when Node ends. */
  constructor(t, { command = [], node = process.execPath, flags = [], env = {} } = {}) {
    const isElsewhere = command.length > 0 && node === process.execPath;
    const runtime = isElsewhere ? RUNTIME : [node];
    const [program, ...args] = [...command, ...runtime, ...flags, CHILD];
    const stdio = ['pipe', 'pipe', 'inherit'];
    this.child = spawn(program, args, { stdio, env: { ...process.env, ...env } });
    this.child.stdin.on('error', () => {});
    this.ended = new Promise((resolve) => {
      this.child.once('close', (code, signal) => {
        for (const { reject } of this.#calls.values()) {
          reject(new Error(`the process has ended with ${signal ?? code}`));
        }
        resolve(signal ?? code);
      });
    });
    // A process that is killed may leave the beginning of a line, which it has not given out.
    let rest = '';
    this.child.stdout.setEncoding('utf8').on('data', (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      for (const line of lines) this.#hear(JSON.parse(line));
    });
    t.after(() => this.kill());
  }

  #hear({ revoked, token, number, value, code, message }) {
    if (token !== undefined) {
      this.tokens.push(token);
      return;
    }
    if (revoked !== undefined) {
      this.revoked.push(revoked);
      return;
    }
    const { resolve, reject } = this.#calls.get(number);
    this.#calls.delete(number);
    if (message === undefined) resolve(value);
    else reject(Object.assign(new Error(message), { code }));
  }

  call(name, ...args) {
    const number = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#calls.set(number, { resolve, reject });
      this.child.stdin.write(`${JSON.stringify({ number, name, args })}\n`);
    });
  }

  /** Ends the input, at which the process ends by itself. Resolves to its exit code. */
  end() {
    this.child.stdin.end();
    return this.ended;
  }

  async kill() {
    this.child.kill('SIGKILL');
    await this.ended;
  }
}

/**
 * A command that runs another one in namespaces of its own, for example `['--pid', '--fork']`, as
 * root there. `undefined` where the system does not allow that.
 */
function unshare(t, flags) {
  const commands = [
    ['unshare', ...flags],
    ['unshare', '--user', '--map-root-user', ...flags],
    ['sudo', '-n', 'unshare', ...flags],
  ];
  const works = ([program, ...args]) => spawnSync(program, [...args, 'true']).status === 0;
  return commands.find(works) ?? missing(t, 'unshare', 'run as root, or allow user namespaces');
}

/**
 * Waits until all threads of a process are stopped: a signal takes time to arrive. Linux only.
 * Signals that end no process go by `process.kill`: the `kill` of a child sends one signal in Deno.
 */
async function untilStopped(pid) {
  const isStopped = (thread) =>
    /^State:\tT/m.test(readFileSync(`/proc/${pid}/task/${thread}/status`, 'latin1'));
  while (!readdirSync(`/proc/${pid}/task`).every(isStopped)) await sleep(1);
}

module.exports = { StoreProcess, unshare, untilStopped };
