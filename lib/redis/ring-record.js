'use strict';

// The key ring of a server: its name, its text and its commands.
//
// `{prefix}` is a string: the head of the version, 34 hexadecimal digits, then the base64 of the
// whole version, which begins with the head (src/jwt/key_ring/stamp.rs). The text is ASCII, since
// a client with `send` may give texts as strings. A version is written only if the server has the
// one with the head that the writer has seen.

const { defineScript } = require('./client.js');

const HEAD_DIGITS = 34;
/** The longest text: a ring has at most 1 MiB. */
const MAX_TEXT = 1_500_000;

const HEAD = defineScript(`
if not string.find(redis.call('INFO', 'replication'), 'role:master', 1, true) then
  return redis.error_reply('READONLY the server is a replica, which may lag behind')
end
return redis.call('GETRANGE', KEYS[1], 0, ${HEAD_DIGITS - 1})
`);

const WRITE = defineScript(`
if redis.call('GETRANGE', KEYS[1], 0, ${HEAD_DIGITS - 1}) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1
`);

class RingRecord {
  #name;
  #send;

  /** `send(run)` calls `run(connection)` and gives the answer, or rejects without one in time. */
  constructor(prefix, send) {
    this.#name = `{${prefix}}`;
    this.#send = send;
  }

  /** The head of the version that the server has, as text; empty if it has none. */
  async head() {
    return textOf(await this.#send((connection) => connection.script(HEAD, this.#name, [])));
  }

  /**
   * The version that the server has, with the head by which it may be replaced. `bytes` is
   * undefined if there is none, and empty if the server has something else.
   */
  async read() {
    const args = ['GETRANGE', this.#name, '0', `${MAX_TEXT}`];
    const route = { key: this.#name };
    const text = textOf(await this.#send((connection) => connection.command(args, route)));
    if (text === '') return { head: '', bytes: undefined };
    const head = text.slice(0, HEAD_DIGITS);
    const bytes = Buffer.from(text.slice(HEAD_DIGITS), 'base64');
    return { head, bytes: headOf(bytes) === head ? bytes : Buffer.alloc(0) };
  }

  /** Writes a version if the server has the one with this head. Resolves to whether it had. */
  async write(head, bytes) {
    const args = [head, `${headOf(bytes)}${bytes.toString('base64')}`];
    return Number(await this.#send((connection) => connection.script(WRITE, this.#name, args))) === 1;
  }
}

/** The head of a version, as text. */
function headOf(bytes) {
  return bytes.subarray(0, HEAD_DIGITS / 2).toString('hex');
}

function textOf(reply) {
  if (Buffer.isBuffer(reply)) return reply.toString('latin1');
  throw new Error('REPLY is no text: send must resolve to the reply of the server');
}

module.exports = { RingRecord, headOf };
