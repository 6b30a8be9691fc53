'use strict';

// The revocations on a server: the commands and the names.
//
// - `{prefix}` is the stream. An entry has one field, `r`, with the texts of one or more
//   rows (src/revocation/list/remote/row.rs).
// - `{prefix}:lasting` is a hash of the rows that are needed for longer than the stream
//   has its entries: revoked keys, and sessions that end later than a token can.
// - `{prefix}:meta` is a hash: `life`, for how long all processes need the entries of
//   the stream, in milliseconds, and `keys`, the keys of fingerprints of processes without a key.

const { defineScript, pairsOf, reasonOf } = require('./client.js');
const { evictionPolicy } = require('./eviction.js');
const { parseId, textOf, START } = require('./stream-id.js');

/** The characters of a row that name its entry. */
const NAME_LENGTH = 24;
/** The most entries that are read at once. */
const PAGE = 2000;
/**
 * The longest text of an entry that is read, in characters: 64 rows of 64. A page of such texts is
 * read at once by the native part.
 */
const MAX_TEXT = 4096;
/** A text that is no row, in place of a longer one. */
const NO_ROW = '-';

/** How much longer than its rows are needed an entry stays, for clocks that differ. */
const SLACK_MS = 3_600_000;

/**
 * Adds an entry and its lasting rows: a replica and a restart have both or none. A hash of another
 * type fails before the first write.
 */
const ADD_LASTING = defineScript(`
redis.call('HGET', KEYS[2], '')
local trim = {}
if ARGV[2] ~= '' then trim = {'MINID', '~', ARGV[2]} end
trim[#trim + 1] = '*'
trim[#trim + 1] = 'r'
trim[#trim + 1] = ARGV[1]
local id = redis.call('XADD', KEYS[1], unpack(trim))
redis.call('HSET', KEYS[2], unpack(ARGV, 3))
return id
`);

/** In a cluster, asks the node that has the stream. It may change without a broken connection. */
const NODE = `return redis.call('INFO', 'replication')`;

/** The server that answers is a replica, which may lag behind its primary without end. */
class NotPrimary extends Error {
  reason = 'a replica';
}

class RevocationLog {
  #names;
  /** Sends commands that wait for nothing. */
  #send;
  #asksRole;
  #asksHistory = true;
  #isCluster;
  /** Called when the server refuses to tell its role. */
  #roleRefused;
  /** The number of entries that are read at once. */
  #page = PAGE;

  /** `asksRole`: whether the server that has the stream is asked whether it is a primary. */
  constructor(prefix, send, { asksRole, isCluster, roleRefused }) {
    const stream = `{${prefix}}`;
    this.#names = { stream, lasting: `${stream}:lasting`, meta: `${stream}:meta` };
    this.#send = send;
    this.#asksRole = asksRole;
    this.#isCluster = isCluster;
    this.#roleRefused = roleRefused;
  }

  /** At most a page of the entries after an id: `[{ id, text }]`. */
  async after(id) {
    const from = `(${textOf(id)}`;
    const count = ['COUNT', `${this.#page}`];
    return entriesOf(await this.#command('XRANGE', this.#names.stream, from, '+', ...count));
  }

  /** Reads fewer entries at once: an answer did not come in time, and may have been too long. */
  shrinkPages() {
    this.#page = Math.max(1, Math.floor(this.#page / 8));
  }

  /** Reads more entries at once again. */
  growPages() {
    this.#page = Math.min(PAGE, 2 * this.#page);
  }

  /** The text of an entry; undefined if the stream does not have it. */
  async textAt(id) {
    const at = textOf(id);
    const [entry] = entriesOf(await this.#command('XRANGE', this.#names.stream, at, at));
    return entry?.text;
  }

  /** The XREAD that waits for entries after an id; without `blockMs` it does not wait. */
  waiting(id, blockMs) {
    const block = blockMs === undefined ? [] : ['BLOCK', `${blockMs}`];
    return ['XREAD', 'COUNT', `${this.#page}`, ...block, 'STREAMS', this.#names.stream, textOf(id)];
  }

  /** The key by which a cluster finds the node. */
  get key() {
    return this.#names.stream;
  }

  /**
   * The last id that the stream has given, its oldest and its newest entry, and the number of
   * entries that were ever added to it, which a server of version 6 does not have. `history` is
   * another one after each failover, and undefined if the server does not tell it. Rejects with
   * `NotPrimary` if the server is a replica.
   */
  async info() {
    const [info, history] = await Promise.all([this.#info(), this.#checkPrimary()]);
    return { ...info, history };
  }

  async #checkPrimary() {
    if (!this.#asksRole) return undefined;
    try {
      const [role, history] = await (this.#isCluster ? this.#node() : this.#server());
      if (`${role}` !== 'master') throw new NotPrimary();
      return history;
    } catch (error) {
      if (!isRefused(error)) throw error;
      this.#asksRole = false;
      this.#roleRefused();
      return undefined;
    }
  }

  /** The role of the node that has the stream, and the id of its history. */
  async #node() {
    const text = await this.#command('EVAL', NODE, '1', this.#names.stream);
    return ['role', 'master_replid'].map((name) => memberOf(text, name));
  }

  /** The same, of a server outside of a cluster. It tells its role also to a user without INFO. */
  async #server() {
    const [[role], history] = await Promise.all([this.#command('ROLE'), this.#history()]);
    return [role, history];
  }

  async #history() {
    if (!this.#asksHistory) return undefined;
    try {
      return memberOf(await this.#command('INFO', 'replication'), 'master_replid');
    } catch (error) {
      if (!isRefused(error)) throw error;
      this.#asksHistory = false;
      return undefined;
    }
  }

  async #info() {
    try {
      const pairs = pairsOf(await this.#command('XINFO', 'STREAM', this.#names.stream));
      const members = new Map(pairs.map(([name, value]) => [`${name}`, value]));
      const added = members.get('entries-added');
      const entry = (name) => {
        const found = members.get(name) ?? null;
        return found === null ? undefined : entriesOf([found])[0];
      };
      return {
        oldest: entry('first-entry'),
        newest: entry('last-entry'),
        last: parseId(members.get('last-generated-id')),
        added: added === undefined ? undefined : Number(added),
      };
    } catch (error) {
      if (/no such key/.test(error?.message)) return { last: START, added: 0 };
      throw error;
    }
  }

  /** Visits the texts of the lasting rows, some at a time. Removes those that `visit` returns. */
  async lasting(visit) {
    let cursor = '0';
    do {
      const args = ['HSCAN', this.#names.lasting, cursor, 'COUNT', `${this.#page}`];
      const [next, flat] = await this.#command(...args);
      const expired = visit(pairsOf(flat).map(lastingText));
      if (expired.length > 0) await this.#forget(expired);
      cursor = `${next}`;
    } while (cursor !== '0');
  }

  async #forget(texts) {
    const names = texts.map((text) => text.slice(0, NAME_LENGTH));
    await this.#command('HDEL', this.#names.lasting, ...names);
  }

  /**
   * Adds the text of rows. `least` is the time before which entries may go, if it is known.
   * Resolves to the id of the entry.
   */
  async add(connection, rows, lasting, least) {
    const { stream, lasting: hash } = this.#names;
    const minId = least > 0 ? `${least}` : '';
    if (lasting.length > 0) {
      const fields = lasting.flatMap((row) => [row.slice(0, NAME_LENGTH), row.slice(NAME_LENGTH)]);
      return idOf(await connection.script(ADD_LASTING, [stream, hash], [rows, minId, ...fields]));
    }
    const trim = minId === '' ? [] : ['MINID', '~', minId];
    const args = ['XADD', stream, ...trim, '*', 'r', rows];
    return idOf(await connection.command(args, { key: stream }));
  }

  /** A member of the hash of what all processes must know; null if it is missing. */
  async meta(name) {
    const value = await this.#command('HGET', this.#names.meta, name);
    return value === null ? null : `${value}`;
  }

  async setMeta(name, value) {
    await this.#command('HSET', this.#names.meta, name, value);
  }

  /** Sets a member unless it is there. */
  async addMeta(name, value) {
    await this.#command('HSETNX', this.#names.meta, name, value);
  }

  /** The policy by which the server drops names when its memory is full; undefined if unknown. */
  evictionPolicy() {
    return evictionPolicy((...args) => this.#command(...args));
  }

  #command(...args) {
    return this.#send(args, { key: this.#names.stream });
  }
}

/** Whether the user of the client has no right to a command, or the server does not know it. */
function isRefused(error) {
  return reasonOf(error) === 'NOPERM' || /unknown command/i.test(error?.message);
}

/** A member of a reply of INFO. */
function memberOf(text, name) {
  return new RegExp(`^${name}:(\\w+)`, 'm').exec(`${text}`)?.[1];
}

/** The id in a reply of XADD. */
function idOf(reply) {
  if (/^\d+-\d+$/.test(`${reply}`)) return parseId(reply);
  throw new Error('REPLY is no id of an entry: send must resolve to the reply of the server');
}

/** The row of a field of the hash. One that is too long is none of ours. */
function lastingText([name, rest]) {
  return name.length + rest.length > MAX_TEXT ? NO_ROW : `${name}${rest}`;
}

/** The entries of a reply of XRANGE, in their order. A text that is too long is none of ours. */
function entriesOf(reply) {
  return reply.map(([id, fields]) => {
    const text = fields === null ? '' : fields[1];
    return { id: parseId(id), text: text.length > MAX_TEXT ? NO_ROW : text.toString('latin1') };
  });
}

/** The entries of a reply of XREAD from one stream. */
function entriesRead(reply) {
  return pairsOf(reply).flatMap(([, entries]) => entriesOf(entries));
}

module.exports = { NotPrimary, RevocationLog, SLACK_MS, entriesRead };
