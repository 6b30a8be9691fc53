'use strict';

// Processes that revoke and verify on one store while they are killed. A long run: `ROUNDS=1000`.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { randomInt } = require('node:crypto');
const { once } = require('node:events');
const { mkdtempSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');
const { createInterface } = require('node:readline');
const { test } = require('node:test');
const { setTimeout: sleep } = require('node:timers/promises');

const ROUNDS = Number(process.env.ROUNDS ?? 25);
/** Eight processes fill a list within some hundred rounds, so that a long run takes several. */
const ROUNDS_OF_A_STORE = 100;
const PROCESSES = 8;
const CHILD = path.join(__dirname, '..', 'helpers', 'revoking-child.js');

/** A process that revokes all the time and answers questions. */
class Revoker {
  /** The questions that wait for an answer, by number. */
  #asked = new Map();
  #last = 0;

  constructor(folder, name, acknowledge) {
    this.child = spawn(process.execPath, [CHILD, folder, name], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.ended = once(this.child, 'exit');
    this.child.stdin.on('error', () => {});
    this.ready = new Promise((resolve, reject) => {
      this.ended.then(() => {
        reject(new Error(`${name} has ended`));
        for (const tell of this.#asked.values()) tell('ended');
      });
      createInterface({ input: this.child.stdout }).on('line', (line) => {
        const [kind, first, second] = line.split(' ');
        if (kind === 'ready') resolve();
        if (kind === 'revoked') acknowledge(first);
        if (kind === 'answer') {
          this.#asked.get(Number(first))?.(second);
          this.#asked.delete(Number(first));
        }
      });
    });
    this.ready.catch(() => {});
  }

  /** How the process judges each token: the codes, or `accepted`. */
  ask(ids) {
    const number = ++this.#last;
    const answer = new Promise((resolve) => {
      this.#asked.set(number, resolve);
    });
    this.child.stdin.write(`${number} ${ids.join(',')}\n`);
    return answer;
  }

  async kill() {
    this.child.kill('SIGKILL');
    await this.ended;
  }
}

for (let done = 0; done < ROUNDS; done += ROUNDS_OF_A_STORE) {
  const rounds = Math.min(ROUNDS - done, ROUNDS_OF_A_STORE);
  test(`no revocation that was acknowledged is missed, ${rounds} processes killed`, () =>
    killAndAsk(rounds));
}

async function killAndAsk(rounds) {
  const folder = mkdtempSync(path.join(tmpdir(), 'nodesec-kill-'));
  const acknowledged = [];
  let names = 0;
  const start = () => new Revoker(folder, `p${++names}`, (id) => acknowledged.push(id));
  const revokers = Array.from({ length: PROCESSES }, start);
  try {
    await Promise.all(revokers.map(({ ready }) => ready));
    for (let round = 0; round < rounds; round++) {
      await sleep(randomInt(30));
      const at = randomInt(PROCESSES);
      await revokers[at].kill();
      revokers[at] = start();
      await revokers[at].ready;
      const recent = acknowledged.slice(-40);
      const older = Array.from({ length: 20 }, () => acknowledged[randomInt(acknowledged.length)]);
      const asked = [...recent, ...older];
      for (const answer of await Promise.all(revokers.map((revoker) => revoker.ask(asked)))) {
        assert.deepEqual(answer.split(','), asked.map(() => 'ERR_JWT_REVOKED'));
      }
    }
  } finally {
    await Promise.all(revokers.map((revoker) => revoker.kill()));
  }
  assert.ok(acknowledged.length > rounds);
  const last = start();
  await last.ready;
  for (let at = 0; at < acknowledged.length; at += 1000) {
    const asked = acknowledged.slice(at, at + 1000);
    assert.equal(await last.ask(asked), asked.map(() => 'ERR_JWT_REVOKED').join());
  }
  await last.kill();
  rmSync(folder, { recursive: true });
  console.log(`# ${acknowledged.length} revocations`);
}
