'use strict';

// Real servers of Redis on loopback. Each ends with its test, by its pid.

const { spawn, spawnSync } = require('node:child_process');
const { once } = require('node:events');
const { mkdtempSync, rmSync } = require('node:fs');
const net = require('node:net');
const { tmpdir } = require('node:os');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');

const { missing } = require('./peers.js');

/** `npm run test:redis` runs the suites against other servers than that of the machine. */
const SERVER = process.env.NODESEC_REDIS_SERVER ?? 'redis-server';
const HOW = 'install Redis (Debian: `apt-get install redis-server`)';
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
  static async start(t, { port, ...options } = {}) {
    if (!RedisServer.isInstalled()) return missing(t, 'redis-server', HOW);
    const server = new RedisServer(port ?? (await freePort()), options);
    t.after(() => server.end());
    await server.run();
    return server;
  }

  /** Starts a server outside of tests. It ends by `end()`, or with this process. */
  static async launch(options = {}) {
    if (!RedisServer.isInstalled()) throw new Error(`There is no redis-server: ${HOW}`);
    const server = new RedisServer(await freePort(), options);
    await server.run();
    return server;
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
    const child = spawn(SERVER, [...own, '--save', '', ...password, ...this.#settings]);
    this.#child = child;
    running.set(child, this.folder);
    child.once('exit', () => running.delete(child));
    let log = '';
    const ready = new Promise((resolve) => {
      child.stdout.on('data', (chunk) => {
        log += chunk;
        if (log.includes('Ready to accept connections')) resolve(true);
      });
    });
    const isReady = await Promise.race([ready, once(child, 'exit').then(() => false)]);
    if (!isReady) throw new Error(`redis-server has ended:\n${log}`);
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

/** Starts a cluster of three nodes. Returns the servers, or undefined without redis-server. */
async function startCluster(t) {
  const nodes = [];
  for (let n = 0; n < 3; n++) {
    const node = await RedisServer.start(t, {
      port: await nodePort(),
      settings: ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000'],
    });
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

/** A port for a node of a cluster, which also takes the port that is 10,000 higher. */
async function nodePort() {
  for (;;) {
    const port = await freePort();
    if (port <= 55_535 && (await freePort(port + 10_000).catch(() => undefined))) return port;
  }
}

async function freePort(wanted = 0) {
  const probe = net.createServer().listen(wanted, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}

module.exports = { RedisServer, freePort, startCluster, until };
