'use strict';

// One interface over the clients of Redis and Valkey: ioredis 5 and 6, iovalkey, their Cluster,
// node-redis 5 and 6, its cluster, and an object with `send(args, { key })` for every other client.
//
// `connect(client)` checks the client, warns of settings that break promises, and returns:
//
// - `command(args, { key }?)`: sends a command, an array of strings and Buffers, and resolves to
//   its reply. `key` is the key by which a cluster finds the node; without it, any node may answer.
//   Nothing is sent again, and there is no deadline. Rejects with the client's own error, of which
//   `reasonOf(error)` tells the reason.
// - `script(script, keys, args, isCurrent?)`: runs a script of `defineScript(lua)` by its hash, and
//   sends its text only if the server does not have it, and if `isCurrent()` then holds. `keys` is
//   a key, or an array of keys on one node.
// - `canBlock`: whether `blocking()` works. It does not with `send`, which has one connection.
// - `canRoute`: whether a command without a key goes to the node of the route in a cluster. With
//   ioredis it goes to any node.
// - `isCluster`: whether keys are on several nodes, as far as the client tells.
// - `nodeOf(key)`: the name of the node that has a key in a cluster, as far as the client knows.
//   Undefined if the client has one server, or does not know the node.
// - `hasSlots(node)`: whether a node has any slot of a cluster, as far as the client knows.
// - `refreshSlots(key)`: has the client of a cluster find out which node has a key now, which it
//   does not do by itself while a connection is only silent.
// - `blocking()`: resolves to a connection of our own for commands that wait on the server:
//   `{ command(args, { key }?), script(…), replace(), close() }`. Its `command`
//   connects first where there is no connection, once, and rejects if that fails or if the
//   connection breaks; call it again to connect again. `replace()` drops a silent connection, and
//   `close()` ends it for good, also one that is not connected yet. Both reject the commands that
//   wait.
// - `onReconnect(listener)`: calls the listener each time the caller's client is connected. Returns
//   the function that ends this.
//
// A reply has the same form for every client and both protocols: null, a number or bigint, a
// Buffer (for every text), or an array of these. Only a map, such as HGETALL's and XREAD's, comes
// as [key, value] pairs or flat, as the protocol and the client have it: read it with
// `pairsOf(reply)`.

const { createHash } = require('node:crypto');

const { makeError } = require('../errors.js');
const { wrongType } = require('../options.js');
const { IoRedisClient } = require('./ioredis.js');
const { NodeRedisClient } = require('./node-redis.js');
const { normalized, pairsOf } = require('./replies.js');

/** Redis 6 tells of the error of a command in a script in this form. */
const OF_SCRIPT = /^ERR Error running script .*@user_script: ?\d+: -?(.+)$/s;

const CLIENTS = 'a client of ioredis, iovalkey or node-redis, or an object with the method send';

/** One connection a client, so that a client gets one listener and one warning. */
const connections = new WeakMap();

/**
 * The connection over a caller's client. Throws `ERR_INVALID_ARG_TYPE` for any other value, and
 * `ERR_INVALID_ARG_VALUE` for a pool or a sentinel of node-redis.
 */
function connect(client) {
  if (client === null || typeof client !== 'object') throw wrongType('client', CLIENTS);
  let connection = connections.get(client);
  if (connection === undefined) {
    connection = new Connection(adaptorOf(client));
    connections.set(client, connection);
  }
  return connection;
}

function adaptorOf(client) {
  if (typeof client.callBuffer === 'function') return new IoRedisClient(client);
  if (typeof client.withTypeMapping === 'function') {
    if (typeof client.sendCommand === 'function') return nodeRedisOf(client);
  }
  if (typeof client.send === 'function') return new BareClient(client);
  throw wrongType('client', CLIENTS);
}

function nodeRedisOf(client) {
  if (NodeRedisClient.takes(client)) return new NodeRedisClient(client);
  const message =
    'option "client" must not be a pool or a sentinel of node-redis: give a client of its ' +
    'createClient or createCluster, or, with sentinels, a client of ioredis';
  throw makeError('ERR_INVALID_ARG_VALUE', message);
}

class Connection {
  #client;

  constructor(client) {
    this.#client = client;
    const settings = client.warnings();
    if (settings.length === 0) return;
    process.emitWarning(
      `a client of Redis may send a command twice, or long after its caller has gone on: ${settings.join('; ')}`,
      { code: 'NODESEC_REDIS_CLIENT' },
    );
  }

  get canBlock() {
    return typeof this.#client.blocking === 'function';
  }

  get canRoute() {
    return this.#client.canRoute !== false;
  }

  get isCluster() {
    return this.#client.isCluster === true;
  }

  nodeOf(key) {
    return this.isCluster ? this.#client.nodeOf(key) : undefined;
  }

  hasSlots(node) {
    return this.isCluster && this.#client.hasSlots(node);
  }

  refreshSlots(key) {
    if (this.isCluster) this.#client.refreshSlots(key);
  }

  command(args, route) {
    return this.#sent(args, route?.key).then(normalized);
  }

  script(script, keys, args, isCurrent) {
    return runScript((command, key) => this.#sent(command, key), script, keys, args, isCurrent);
  }

  async blocking() {
    if (this.canBlock) return new BlockingConnection(() => this.#client.blocking());
    throw makeError('ERR_INVALID_ARG_VALUE', 'a client with send has no second connection');
  }

  onReconnect(listener) {
    return this.#client.onReconnect(listener);
  }

  /** The client's own promise, or one of the value or the error that it gives in place of one. */
  #sent(args, key) {
    try {
      const reply = this.#client.command(args, key);
      return typeof reply?.then === 'function' ? reply : Promise.resolve(reply);
    } catch (error) {
      return Promise.reject(error);
    }
  }
}

/** A connection that is made anew by the next command after it broke. */
class BlockingConnection {
  #make;
  /** `{ ready, command, end }`, of the connection that is there or is being made. */
  #made;
  #isClosed = false;

  constructor(make) {
    this.#make = make;
  }

  async command(args, route) {
    return normalized(await this.#sent(args, route?.key));
  }

  script(script, keys, args) {
    return runScript((command, key) => this.#sent(command, key), script, keys, args);
  }

  async #sent(args, key) {
    const made = this.#connection();
    try {
      await made.ready;
      return await made.command(args, key);
    } catch (error) {
      // An error of the server leaves the connection as it is.
      if (reasonOf(error) === 'connection' && this.#made === made) this.replace();
      throw error;
    }
  }

  replace() {
    const made = this.#made;
    this.#made = undefined;
    made?.end();
  }

  close() {
    this.#isClosed = true;
    this.replace();
  }

  #connection() {
    if (this.#isClosed) throw makeError('ERR_INVALID_ARG_VALUE', 'the connection is closed');
    this.#made ??= endable(this.#make());
    return this.#made;
  }
}

/** A connection whose `end()` also rejects the commands that wait until it is connected. */
function endable({ connected, command, close }) {
  let giveUp;
  const ended = new Promise((_, reject) => {
    giveUp = reject;
  });
  const ready = Promise.race([connected, ended]);
  ready.catch(() => {});
  const end = () => {
    giveUp(new Error('the connection was ended'));
    close();
  };
  return { ready, command, end };
}

/** Runs a script by `send(args, key)`. A limiter calls this for each decision. */
function runScript(send, { text, hash }, keys, args, isCurrent) {
  const isOne = !Array.isArray(keys);
  const key = isOne ? keys : keys[0];
  const command = isOne ? ['evalsha', hash, '1', keys] : ['evalsha', hash, `${keys.length}`, ...keys];
  for (const arg of args) command.push(arg);
  return send(command, key).then(normalized, (error) => {
    // After any other error the script may have run.
    if (!String(error?.message).startsWith('NOSCRIPT')) throw error;
    if (isCurrent?.() === false) throw error;
    return send(['eval', text, ...command.slice(2)], key).then(normalized);
  });
}

/** The caller's own way to send. */
class BareClient {
  #client;
  #send;

  constructor(client) {
    this.#client = client;
    this.#send = client.send;
  }

  warnings() {
    return [];
  }

  command(args, key) {
    const route = key === undefined ? undefined : { key };
    return Reflect.apply(this.#send, this.#client, [args, route]);
  }

  onReconnect() {
    return () => {};
  }
}

/** A script, for `script` of a connection. */
function defineScript(text) {
  return { text, hash: createHash('sha1').update(text).digest('hex') };
}

/**
 * The reason of an error of a client: the first word of the server's answer, such as `OOM`,
 * `NOAUTH` or `LOADING`, else `connection`.
 */
function reasonOf(error) {
  const message = error?.message;
  if (typeof message !== 'string') return 'connection';
  const [, ofCommand] = OF_SCRIPT.exec(message) ?? [];
  if (ofCommand?.includes("can't run this command")) return 'NOPERM';
  return wordOf(ofCommand) ?? wordOf(message) ?? 'connection';
}

function wordOf(text) {
  return /^[A-Z][A-Z0-9]{1,31}(?=[ :])/.exec(text)?.[0];
}

module.exports = { connect, defineScript, pairsOf, reasonOf };
