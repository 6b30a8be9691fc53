'use strict';

// Real servers of Redis on loopback. Each ends with its test, by its pid.

const { spawn, spawnSync } = require('node:child_process');
const { randomInt } = require('node:crypto');
const { once } = require('node:events');
const { closeSync, mkdtempSync, openSync, readFileSync, rmSync } = require('node:fs');
const net = require('node:net');
const { tmpdir } = require('node:os');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');

const { missing } = require('./peers.js');

/** `npm run test:redis` runs the suites against other servers than that of the machine. */
const SERVER = process.env.NODESEC_REDIS_SERVER ?? 'redis-server';
const HOW = 'install Redis (Debian: `apt-get install redis-server`)';
/**
 * The ports of servers, and the distance from a port to that of the cluster bus. They are below the
 * ports that systems give to connections: while a server is down, no connection takes its port.
 */
const [FIRST_PORT, PORTS, BUS] = [12_000, 10_000, 10_000];
/** The servers that run, and their folders. They go with a process that ends before its tests. */
const running = new Map();
process.once('exit', () => {
  for (const [child, folder] of running) {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
});

class RedisServer {
  /** Members for the tests: `port`, `password`, and `folder`, which holds the server's files. */
  port;
  password;
  folder;
  #settings;
  #child;

  constructor(port, { password, settings = [] }) {
    this.port = port;
    this.password = password;
    this.folder = mkdtempSync(path.join(tmpdir(), 'nodesec-redis-'));
    this.#settings = settings;
  }

  /**
   * Starts a server that keeps nothing on the disk, unless `settings` (arguments such as
   * `['--appendonly', 'yes']`) say otherwise. Returns undefined, and skips the test, if there is no
   * redis-server.
   */
  static async start(t, options) {
    if (!RedisServer.isInstalled()) return missing(t, 'redis-server', HOW);
    const server = await RedisServer.#started(options);
    t.after(() => server.end());
    return server;
  }

  /** Starts a server outside of tests. It ends by `end()`, or with this process. */
  static async launch(options) {
    if (!RedisServer.isInstalled()) throw new Error(`There is no redis-server: ${HOW}`);
    return RedisServer.#started(options);
  }

  static async #started(options = {}) {
    for (let attempt = 1; ; attempt += 1) {
      const server = new RedisServer(await freePort(), options);
      try {
        await server.run();
        return server;
      } catch (error) {
        await server.end();
        // Another suite may have chosen the same port at the same time.
        if (attempt === 5 || !error.message.includes('in use')) throw error;
      }
    }
  }

  static isInstalled() {
    return spawnSync(SERVER, ['--version']).error === undefined;
  }

  get pid() {
    return this.#child?.pid;
  }

  get url() {
    const auth = this.password === undefined ? '' : `:${this.password}@`;
    return `redis://${auth}127.0.0.1:${this.port}`;
  }

  /** Runs the server, again on its port after `kill`: empty, unless it has an append-only file. */
  async run() {
    const password = this.password === undefined ? [] : ['--requirepass', this.password];
    const own = ['--port', `${this.port}`, '--bind', '127.0.0.1', '--dir', this.folder];
    // A pipe that nobody reads, because this process waits for redis-cli, would stop the server.
    const file = path.join(this.folder, 'log');
    const log = openSync(file, 'w');
    const stdio = ['ignore', log, log];
    const child = spawn(SERVER, [...own, '--save', '', ...password, ...this.#settings], { stdio });
    closeSync(log);
    this.#child = child;
    running.set(child, this.folder);
    child.once('exit', () => running.delete(child));
    const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
    const isReady = () => readFileSync(file, 'utf8').includes('Ready to accept connections');
    await until(() => hasEnded() || isReady());
    if (hasEnded()) throw new Error(`redis-server has ended:\n${readFileSync(file, 'utf8')}`);
  }

  /** Ends the server as a crash does. */
  async kill() {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  /** Ends the server for good. */
  async end() {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Stops the server; its connections stay open and silent. */
  pause() {
    process.kill(this.#child.pid, 'SIGSTOP');
  }

  resume() {
    process.kill(this.#child.pid, 'SIGCONT');
  }

  /** Runs one command with redis-cli and returns its output. */
  cli(...args) {
    const auth = this.password === undefined ? [] : ['--no-auth-warning', '-a', this.password];
    return redisCli(['-p', `${this.port}`, ...auth, ...args]);
  }
}

/** Starts a node that belongs to no cluster yet. */
function startNode(t) {
  const settings = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000'];
  return RedisServer.start(t, { settings });
}

/** Starts a cluster of three nodes. Returns the servers, or undefined without redis-server. */
async function startCluster(t) {
  const nodes = [];
  for (let n = 0; n < 3; n++) {
    const node = await startNode(t);
    if (node === undefined) return undefined;
    nodes.push(node);
  }
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
  redisCli(['--cluster', 'create', ...addresses, '--cluster-yes']);
  for (const node of nodes) {
    await until(() => node.cli('cluster', 'info').includes('cluster_state:ok'));
  }
  return nodes;
}

/** Resolves when `holds()`, which may be async, is true. */
async function until(holds) {
  for (let n = 0; n < 2000; n++) {
    if (await holds()) return;
    await sleep(10);
  }
  throw new Error(`it does not come true: ${holds}`);
}

function redisCli(args) {
  const { status, stdout, stderr } = spawnSync('redis-cli', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`redis-cli ${args.join(' ')} ended with ${status}: ${stdout}${stderr}`);
  return stdout;
}

/** A free port, with a free one for the bus of a node of a cluster. */
async function freePort() {
  for (;;) {
    const port = FIRST_PORT + randomInt(PORTS);
    if ((await isFree(port)) && (await isFree(port + BUS))) return port;
  }
}

async function isFree(port) {
  const probe = net.createServer().listen(port, '127.0.0.1');
  try {
    await once(probe, 'listening');
  } catch {
    return false;
  }
  probe.close();
  await once(probe, 'close');
  return true;
}

module.exports = { RedisServer, startCluster, startNode, until };
