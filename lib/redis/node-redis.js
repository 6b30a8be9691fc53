'use strict';

// node-redis 5 and 6 (the package redis), and its cluster.

const { slotOf } = require('./slot.js');

/** Types of RESP by their first byte: texts are Buffers, and maps keep keys that are. */
const TYPES = { 36: Buffer, 43: Buffer, 61: Buffer, 37: Map, 126: Array };
const REPLIES = { typeMapping: TYPES };
/** For commands that wait on the server. */
const WAITS = { typeMapping: TYPES, timeout: undefined };

class NodeRedisClient {
  #client;
  /** The nodes that were asked who has a key, and have not answered. */
  #asked = new Set();
  #turn = 0;
  /** Whether keys are on several nodes. */
  isCluster;

  /** Whether it is a client or a cluster: pools have no copy, and sentinels other arguments. */
  static takes({ acquire, duplicate }) {
    return typeof duplicate === 'function' && typeof acquire !== 'function';
  }

  constructor(client) {
    this.#client = client;
    this.isCluster = isCluster(client);
    // Without a listener, each outage would be an uncaught exception.
    client.on('error', () => {});
  }

  warnings() {
    const options = this.isCluster ? this.#client._options?.defaults : this.#client.options;
    if (options?.disableOfflineQueue === true) return [];
    const where = this.isCluster ? ' in defaults' : '';
    return [`set disableOfflineQueue: true${where}, or commands of an outage are sent after it`];
  }

  /** The name of the node of a cluster that has a key. */
  nodeOf(key) {
    return this.#client.slots?.[slotOf(key)]?.master.address;
  }

  hasSlots(node) {
    return this.#client.slots?.some((shard) => shard?.master.address === node) === true;
  }

  /**
   * The client asks for the slots only after the answer MOVED to a command. Another node gives this
   * answer; the command goes to any node, as it would go to the one of its key.
   */
  async refreshSlots(key) {
    const silent = this.nodeOf(key);
    const others = (this.#client.masters ?? []).filter(({ address }) => address !== silent);
    const other = others[this.#turn++ % others.length];
    if (other === undefined || this.#asked.has(other.address)) return;
    this.#asked.add(other.address);
    const moved = await movedTo(this.#client, other, key);
    this.#asked.delete(other.address);
    if (moved === undefined || moved === silent || this.nodeOf(key) !== silent) return;
    sent(this.#client, true, ['get', key], undefined, REPLIES).catch(() => {});
  }

  command(args, key) {
    return sent(this.#client, this.isCluster, args, key, REPLIES);
  }

  blocking() {
    const client = this.isCluster
      ? this.#client.duplicate({ useReplicas: false })
      : this.#client.duplicate({
          disableOfflineQueue: true,
          pingInterval: undefined,
          socket: { ...this.#client.options?.socket, reconnectStrategy: false, socketTimeout: undefined },
        });
    client.on('error', () => {});
    let isClosed = false;
    const end = () => {
      if (isClosed && client.isOpen) client.destroy();
    };
    // Before it has a socket, the client forgets that it was destroyed.
    let hasSocket = this.isCluster;
    client.once('connect', () => {
      hasSocket = true;
      end();
    });
    const connected = client.connect();
    connected.then(end, end);
    return {
      connected,
      command: (args, key) => sent(client, this.isCluster, args, key, WAITS),
      close() {
        isClosed = true;
        if (hasSocket) end();
      },
    };
  }

  onReconnect(listener) {
    const event = this.isCluster ? 'node-ready' : 'ready';
    this.#client.on(event, listener);
    return () => this.#client.off(event, listener);
  }
}

/** The name of the node that has a key, as another node tells it; undefined if it does not. */
async function movedTo(client, other, key) {
  try {
    await (await client.nodeClient(other)).sendCommand(['get', key]);
    return undefined;
  } catch (error) {
    return /^MOVED \d+ (\S+)/.exec(error?.message)?.[1];
  }
}

function isCluster(client) {
  return typeof client.nodeClient === 'function';
}

function sent(client, isCluster, args, key, options) {
  return isCluster
    ? client.sendCommand(key, false, args, options)
    : client.sendCommand(args, options);
}

module.exports = { NodeRedisClient };
