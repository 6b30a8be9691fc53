'use strict';

// ioredis 5 and 6 and iovalkey, and their Cluster.

const { slotOf } = require('./slot.js');

/** Settings of a connection of our own: it breaks at once, and we connect again. */
const BREAKS = {
  autoResendUnfulfilledCommands: false,
  commandTimeout: undefined,
  // A silent server never ends its side.
  disconnectTimeout: 100,
  enableAutoPipelining: false,
  enableOfflineQueue: false,
  lazyConnect: true,
  maxRetriesPerRequest: 0,
  retryStrategy: () => null,
  socketTimeout: undefined,
};

class IoRedisClient {
  #client;
  /** The first connection of a client with `lazyConnect`. */
  #connecting;

  constructor(client) {
    this.#client = client;
  }

  warnings() {
    const { options = {}, isCluster } = this.#client;
    const settings = [];
    if (options.enableOfflineQueue !== false) {
      settings.push('set enableOfflineQueue: false, or commands of an outage are sent after it');
    }
    if (isCluster && options.retryDelayOnFailover > 0) {
      settings.push('set retryDelayOnFailover: 0, or a command whose connection broke is sent again');
    }
    if (!isCluster && options.autoResendUnfulfilledCommands !== false) {
      settings.push(
        'set autoResendUnfulfilledCommands: false, or a command whose connection broke is sent again',
      );
    }
    return settings;
  }

  get isCluster() {
    return this.#client.isCluster === true;
  }

  get canRoute() {
    return !this.isCluster;
  }

  /** The name of the node of a cluster that has a key. */
  nodeOf(key) {
    return this.#client.slots?.[slotOf(key)]?.[0];
  }

  hasSlots(node) {
    return this.#client.slots?.some((nodes) => nodes?.[0] === node) === true;
  }

  refreshSlots() {
    this.#client.refreshSlotsCache?.();
  }

  command(args) {
    const client = this.#client;
    // Without an offline queue, a client that waits for its first command would refuse it.
    if (client.status === 'wait') {
      this.#connecting = client.connect().finally(() => {
        this.#connecting = undefined;
      });
    }
    return this.#connecting?.then(() => sent(client, args)) ?? sent(client, args);
  }

  blocking() {
    const client = this.#client.isCluster
      ? this.#client.duplicate([], {
          clusterRetryStrategy: () => null,
          enableAutoPipelining: false,
          enableOfflineQueue: false,
          lazyConnect: true,
          redisOptions: { ...this.#client.options.redisOptions, ...BREAKS, enableOfflineQueue: true },
          retryDelayOnFailover: 0,
          // A replica may lag, and says so to nobody.
          scaleReads: 'master',
        })
      : this.#client.duplicate(BREAKS);
    client.on('error', () => {});
    client.on('+node', catchAsking);
    return {
      connected: client.connect(),
      command: (args) => sent(client, args),
      close: () => client.disconnect(),
    };
  }

  onReconnect(listener) {
    this.#client.on('ready', listener);
    return () => this.#client.off('ready', listener);
  }
}

/**
 * While a slot moves, a Cluster sends ASKING and ignores the answer. If the connection breaks
 * before it, the unhandled rejection would end the process.
 */
function catchAsking(node) {
  const { asking } = node;
  node.asking = () => {
    const answer = Reflect.apply(asking, node, []);
    answer.catch(() => {});
    return answer;
  };
}

/** The client finds the keys, and so the node of a cluster, by the command's name in lower case. */
function sent(client, args) {
  const name = args[0].toLowerCase();
  return name === args[0] ? client.callBuffer(...args) : client.callBuffer(name, ...args.slice(1));
}

module.exports = { IoRedisClient };
