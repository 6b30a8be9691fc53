'use strict';

// A service that has sessions and revocations on a store and judges tokens, in this process.

const { copyFileSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } =
  require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');

const {
  JwtIssuer, JwtKey, JwtVerifier, RevocationList, SecretBuffer, Sessions, Store,
} = require('@nodesec/native');

const REVOKED = 'ERR_JWT_REVOKED';
const ACCEPTED = 'accepted';

class StoreService {
  #sessions;

  /** Opens the store at a path. `sessions` has the options of `Sessions`, `clock` is the list's. */
  static async open(at, { sessions, clock, ...options } = {}) {
    const service = new StoreService();
    service.store = await Store.open(at, { key: storeKey(), ...options });
    service.revocations = new RevocationList({ store: service.store, clock });
    const keys = JwtKey.fromSecret(Buffer.alloc(32, 7), { alg: 'HS256', kid: 'service' });
    service.issuer = new JwtIssuer({ keys, issuer: 'id', expiresIn: '1h' });
    service.sessionOptions = sessions;
    const { revocations } = service;
    service.verifier = new JwtVerifier({ keys, issuer: 'id', audience: false, revocations });
    return service;
  }

  /** The sessions on the store. */
  get sessions() {
    const { issuer, revocations, store, sessionOptions } = this;
    this.#sessions ??= new Sessions({ issuer, revocations, store, ...sessionOptions });
    return this.#sessions;
  }

  async revoke(...ids) {
    const expires = Math.floor(Date.now() / 1000) + 3600;
    await Promise.all(ids.map((id) => this.revocations.revokeSession(id, expires)));
  }

  /** Revokes the sessions `<name>-0` and so on, each in a transaction of its own. */
  async revokeInTurn(name, count) {
    for (const id of idsOf(name, count)) await this.revoke(id);
  }

  /** The code with which a token of the session is refused, or `accepted`. */
  judge(id) {
    return this.judgeToken(this.issuer.sign({ sub: 'ada', sid: id }));
  }

  /** Calls a method of the service's `Sessions`. */
  session(method, ...args) {
    return this.sessions[method](...args);
  }

  /** The code with which an access token is refused, or `accepted`. */
  judgeToken(token) {
    const result = this.verifier.tryVerify(token);
    return result.ok ? ACCEPTED : result.code;
  }

  /** The different verdicts about sessions. */
  judgeAll(ids) {
    return [...new Set(ids.map((id) => this.judge(id)))];
  }

  stats() {
    return this.store.stats();
  }

  async backup(to) {
    await this.store.backup(to);
  }

  async close() {
    await this.store.close();
  }
}

function storeKey(byte = 9) {
  return SecretBuffer.from(Buffer.alloc(32, byte));
}

function idsOf(name, count) {
  return Array.from({ length: count }, (_, at) => `${name}-${at}`);
}

/** A new folder, which is removed after the test, and the path of a store in it. */
function storePath(t) {
  const folder = mkdtempSync(path.join(realpathSync(tmpdir()), 'nodesec-store-'));
  t.after(() => {
    // Windows does not allow the removal of files that are open, as a test may leave them.
    if (process.platform !== 'win32') rmSync(folder, { recursive: true, force: true });
  });
  return path.join(folder, 'store');
}

/**
 * Makes a store that has lost its last changes with the machine: its database is older than its
 * epoch, in which another start of the machine stands. `body` runs with the service before the
 * loss, and what it revokes is lost.
 */
async function storeWithLoss(t, options, body) {
  const at = storePath(t);
  const [database, epoch] = ['store.db', 'epoch'].map((name) => path.join(at, name));
  await (await StoreService.open(at, options)).close();
  copyFileSync(database, `${at}.old`);
  const service = await StoreService.open(at, options);
  await service.revoke('lost');
  await body?.(service);
  await service.close();
  copyFileSync(`${at}.old`, database);
  const bytes = readFileSync(epoch);
  bytes.fill(7, 32, 48);
  return { at, restart: () => writeFileSync(epoch, bytes) };
}

module.exports = {
  ACCEPTED, REVOKED, StoreService, idsOf, storeKey, storePath, storeWithLoss,
};
