'use strict';

// Caches of proofs: of a thread, of all threads, of all processes, and after a restart.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { Worker } = require('node:worker_threads');

const { DpopReplayCache, JwtIssuer, JwtKey, RateLimiter } = require('@nodesec/native');
const { declareAuthentication } = require('../../lib/web/authentication.js');
const { runScript } = require('../helpers/child.js');
const { coded } = require('../helpers/outcome.js');
const { client, nextSecond, olderCache, proofOf, withProof } = require('../helpers/proofs.js');

const AT = 'https://api.example/';

/** A new path. */
function newPath(t) {
  const folder = mkdtempSync(path.join(tmpdir(), 'nodesec-dpop-'));
  // Windows does not allow the removal of a file that is mapped.
  if (process.platform !== 'win32') t.after(() => rmSync(folder, { recursive: true }));
  return path.join(folder, 'proofs');
}

/** The path of a file that is older than the proofs that are made from here on. */
async function madePath(t) {
  const at = newPath(t);
  DpopReplayCache.machine(at, { maxEntries: 1000 });
  await nextSecond();
  return at;
}

/** A service in a program of its own, which has the key of the tokens. */
const APP = `
  const { readFileSync } = require('node:fs');
  const { parentPort } = require('node:worker_threads');
  const { JwtKey, JwtVerifier, DpopReplayCache } = require('@nodesec/native');
  const Fastify = require('fastify');
  const { authentication } = require('@nodesec/native/fastify');
  const secret = Buffer.from(process.env.SECRET, 'hex');
  const keys = JwtKey.fromSecret(secret, { alg: 'HS256', kid: 'k1' });
  const verifier = new JwtVerifier({ keys, issuer: 'https://id.example', audience: 'api' });
  const replay = process.env.AT ? DpopReplayCache.machine(process.env.AT) : undefined;
  const app = Fastify();
  app.register(authentication, { verifier, dpop: { url: () => '${AT}', ...(replay && { replay }) } });
  app.setErrorHandler((error, request, reply) => reply.code(error.status).send(error.cause?.code));
  app.get('/', async () => 'ok');
  /** The status and the reason of each answer. */
  async function answersTo(requests) {
    const lines = [];
    for (const headers of requests) {
      const { statusCode, body } = await app.inject({ url: '/', headers });
      lines.push(statusCode + ' ' + body);
    }
    return lines;
  }
  /** Prints the answers to the requests in a file. */
  async function printAnswers() {
    const requests = JSON.parse(readFileSync(process.env.REQUESTS, 'utf8'));
    for (const line of await answersTo(requests)) console.log(line);
    if (process.env.KILL) process.kill(process.pid, 'SIGKILL');
  }
  /** Answers the requests of a message to this thread. */
  async function answerMessages() {
    await app.ready();
    parentPort.on('message', async (requests) => parentPort.postMessage(await answersTo(requests)));
    parentPort.postMessage('ready');
  }`;

const SECRET = Buffer.alloc(32, 5).toString('hex');

/** A client whose token the services accept. */
async function knownClient() {
  
  const keys = JwtKey.fromSecret(Buffer.from(SECRET, 'hex'), { alg: 'HS256', kid: 'k1' });
  const issuer = new JwtIssuer({ keys, issuer: 'https://id.example', audience: 'api', expiresIn: '5m' });
  const key = await JwtKey.generate('ES256');
  return { key, token: issuer.sign({ sub: 'ann', cnf: { jkt: key.kid } }) };
}

/** The lines that a service prints: `script` has it print the answers. */
async function serve(requests, { at = '', kill = '', script = `${APP} printAnswers();` } = {}) {
  const folder = mkdtempSync(path.join(tmpdir(), 'nodesec-requests-'));
  // Not in the environment: on Windows a variable has at most 32,767 characters.
  const file = path.join(folder, 'requests');
  writeFileSync(file, JSON.stringify(requests));
  const env = { SECRET, AT: at, KILL: kill, REQUESTS: file };
  const { stdout, stderr } = await runScript(script, { env });
  rmSync(folder, { recursive: true });
  assert.equal(stderr, '');
  return stdout.trim().split('\n');
}

test('a proof that four processes get at once counts in one of them', async (t) => {
  const at = await madePath(t);
  const { key, token } = await knownClient();
  const requests = Array.from({ length: 50 }, () => withProof(key, token, AT));
  const answers = await Promise.all(Array.from({ length: 4 }, () => serve(requests, { at })));
  for (let number = 0; number < requests.length; number += 1) {
    const lines = answers.map((lines) => lines[number]).sort();
    assert.deepEqual(lines, ['200 ok', ...Array(3).fill('401 ERR_DPOP_REPLAYED')], `${number}`);
  }
  assert.deepEqual(readdirSync(path.dirname(at)), ['proofs']);
  assert.equal(DpopReplayCache.machine(at).stats().entries, requests.length);
  if (process.platform !== 'win32') assert.equal(statSync(at).mode & 0o777, 0o600);
});

test('a cache of the machine refuses a replay after its only process was killed', async (t) => {
  const at = await madePath(t);
  const { key, token } = await knownClient();
  const one = withProof(key, token, AT);
  assert.deepEqual(await serve([one], { at, kill: 'yes' }), ['200 ok']);
  const other = withProof(key, token, AT);
  assert.deepEqual(await serve([one, other], { at }), ['401 ERR_DPOP_REPLAYED', '200 ok']);
});

/** Starts processes that check the same proofs, one by one, when `check(rounds)` tells them to. */
async function startCheckers(at, { key, token }, proofs, number) {
  // In a file, so that the message that starts all of them is short.
  const file = path.join(path.dirname(at), 'list');
  writeFileSync(file, JSON.stringify(proofs));
  const script = `
    const { readFileSync, writeSync } = require('node:fs');
    const { DpopReplayCache } = require('@nodesec/native');
    const { DpopProofs } = require('@nodesec/native/web');
    const replay = DpopReplayCache.machine(${JSON.stringify(at)});
    const proofs = new DpopProofs({ replay });
    const token = ${JSON.stringify(token)};
    const claims = { cnf: { jkt: ${JSON.stringify(key.kid)} } };
    const list = JSON.parse(readFileSync(${JSON.stringify(file)}, 'utf8'));
    process.on('message', async ({ rounds }) => {
      for (let number = 0; number < rounds * list.length; number += 1) {
        const dpop = list[number % list.length];
        const { ok } = await proofs.check({ headers: { dpop }, method: 'GET', url: '${AT}', token, claims });
        writeSync(1, ok ? 'yes\\n' : 'no\\n');
      }
      process.disconnect();
    });
    process.send('ready');`;
  const children = Array.from({ length: number }, () => {
    const stdio = ['ignore', 'pipe', 'inherit', 'ipc'];
    return spawn(process.execPath, ['--eval', script], { cwd: path.join(__dirname, '..', '..'), stdio });
  });
  await Promise.all(children.map((child) => once(child, 'message')));
  const outputs = children.map((child) => {
    const output = { text: '' };
    child.stdout.setEncoding('utf8').on('data', (text) => (output.text += text));
    return output;
  });
  return {
    children,
    /** Sends each process the number of its rounds. Resolves to the lines of each. */
    async check(rounds) {
      const closed = children.map((child) => once(child, 'close'));
      children.forEach((child, index) => child.send({ rounds: rounds[index] }));
      await Promise.all(closed);
      return outputs.map(({ text }) => text.split('\n'));
    },
  };
}

/** How many processes have accepted each proof. */
const countsOf = (proofs, lines) => {
  return proofs.map((_, number) => lines.filter((own) => own[number] === 'yes').length);
};

test('of four processes that check the same 200 proofs at once, exactly one accepts each', async (t) => {
  const at = await madePath(t);
  const client = await knownClient();
  const proofs = Array.from({ length: 200 }, () => withProof(client.key, client.token, AT).dpop);
  const { check } = await startCheckers(at, client, proofs, 4);
  const lines = await check([2, 2, 2, 2]);
  // Each has gone through all of them twice.
  assert.deepEqual(lines.map(({ length }) => length), Array(4).fill(2 * proofs.length + 1));
  assert.deepEqual(countsOf([...proofs, ...proofs], lines), [...Array(200).fill(1), ...Array(200).fill(0)]);
});

test('a process that is killed at work leaves no proof that counts twice, and the cache usable', async (t) => {
  const at = await madePath(t);
  const { key, token } = await knownClient();
  const proofs = Array.from({ length: 200 }, () => withProof(key, token, AT).dpop);
  const { check, children } = await startCheckers(at, { key, token }, proofs, 3);
  const [first] = children;
  let count = 0;
  first.stdout.on('data', (text) => {
    count += text.split('\n').length - 1;
    // Amid its work.
    if (count >= 20) first.kill('SIGKILL');
  });
  // The first has work for so long that it cannot end before.
  const lines = await check([50, 1, 1]);
  assert.equal(first.signalCode, 'SIGKILL');
  const counts = countsOf(proofs, lines);
  assert.ok(counts.every((each) => each <= 1), `${counts}`);
  // It may have died between its acceptance and its line.
  assert.ok(counts.filter((each) => each === 0).length <= 1, `${counts}`);
  const again = await serve([{ authorization: `DPoP ${token}`, dpop: proofs.at(-1) }, withProof(key, token, AT)], { at });
  assert.deepEqual(again, ['401 ERR_DPOP_REPLAYED', '200 ok']);
});

test('a process without a file refuses proofs from before it began', async () => {
  const { key, token } = await knownClient();
  const made = (seconds) => {
    const claims = { iat: Math.floor(Date.now() / 1000) + seconds };
    return { authorization: `DPoP ${token}`, dpop: proofOf(key, { url: AT, token }, { claims }) };
  };
  const [used, ahead] = [made(-10), made(25)];
  const answers = ['401 ERR_DPOP_PROOF', '200 ok', '401 ERR_DPOP_REPLAYED'];
  assert.deepEqual(await serve([used, ahead, ahead]), answers);
});

test('a proof that a process has accepted in its first second does not count in the next process', async () => {
  const { key, token } = await knownClient();
  // Made before both of them, for the whole time in which the first one can have begun.
  const second = Math.floor(Date.now() / 1000);
  const requests = Array.from({ length: 10 }, (_, later) => {
    const claims = { iat: second + later };
    return { authorization: `DPoP ${token}`, dpop: proofOf(key, { url: AT, token }, { claims }) };
  });
  const script = `
    const second = () => Math.floor(Date.now() / 1000);
    const from = second();
    ${APP}
    app.ready().then(() => console.log(from + ' ' + second())).then(printAnswers);`;
  const [seconds, ...lines] = await serve(requests, { script });
  const [from, to] = seconds.split(' ').map(Number);
  // The last one that is refused is of the second in which the cache began.
  const began = second + lines.lastIndexOf('401 ERR_DPOP_PROOF');
  assert.ok(began >= from && began <= to, `${from} ${began} ${to}`);
  const expected = requests.map((_, later) => (second + later <= began ? '401 ERR_DPOP_PROOF' : '200 ok'));
  assert.deepEqual(lines, expected);
});

test('the threads of a process share the cache of authenticate', async (t) => {
  const { key, token } = await knownClient();
  const workers = Array.from({ length: 3 }, () => {
    return new Worker(`${APP} answerMessages();`, { eval: true, env: { ...process.env, SECRET, AT: '' } });
  });
  t.after(() => Promise.all(workers.map((worker) => worker.terminate())));
  // The cache has to be older than the proofs.
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  await nextSecond();
  const requests = Array.from({ length: 20 }, () => withProof(key, token, AT));
  const answers = workers.map((worker) => once(worker, 'message'));
  for (const worker of workers) worker.postMessage(requests);
  const lines = (await Promise.all(answers)).map(([lines]) => lines);
  for (let number = 0; number < requests.length; number += 1) {
    const ofOne = lines.map((lines) => lines[number]).sort();
    assert.deepEqual(ofOne, ['200 ok', ...Array(2).fill('401 ERR_DPOP_REPLAYED')], `${number}`);
  }
});

test('caches with other options, and files that are none of ours, are refused', (t) => {
  const at = newPath(t);
  DpopReplayCache.machine(at, { maxEntries: 100 });
  assert.equal(DpopReplayCache.machine(at).stats().capacity, 100);
  assert.throws(() => DpopReplayCache.machine(at, { maxEntries: 101 }), coded('ERR_INVALID_ARG_VALUE'));
  DpopReplayCache.shared('options', { maxEntries: 100 });
  assert.equal(DpopReplayCache.shared('options').stats().capacity, 100);
  assert.throws(() => DpopReplayCache.shared('options', { maxEntries: 101 }), coded('ERR_INVALID_ARG_VALUE'));
  for (const maxEntries of [63, 2 ** 26 + 1]) {
    assert.throws(() => new DpopReplayCache({ maxEntries }), coded('ERR_OUT_OF_RANGE'));
  }
  const other = path.join(path.dirname(at), 'other');
  writeFileSync(other, 'x'.repeat(10_000), { mode: 0o600 });
  assert.throws(() => DpopReplayCache.machine(other), coded('ERR_DPOP_FILE'));
  assert.throws(() => DpopReplayCache.machine(path.dirname(at)), coded('ERR_DPOP_FILE'));
});

test("without the permission to write, the file of a cache is a DpopError with Node's code", async (t) => {
  const at = newPath(t);
  const script = `
    const { DpopError, DpopReplayCache } = require('@nodesec/native');
    try {
      DpopReplayCache.machine(${JSON.stringify(at)});
    } catch (error) {
      console.log(error instanceof DpopError, error.code, error.permission);
    }`;
  const isModern = process.allowedNodeEnvironmentFlags.has('--permission');
  const model = isModern ? '--permission' : '--experimental-permission';
  const flags = ['--no-warnings', model, '--allow-addons', '--allow-fs-read=*'];
  const { stdout, stderr } = await runScript(script, { flags });
  assert.equal(stdout.trim() || stderr, 'true ERR_ACCESS_DENIED FileSystemWrite');
  assert.deepEqual(readdirSync(path.dirname(at)), []);
});

test('the file of a limiter is no cache, and the file of a cache no limiter', (t) => {
  
  const [one, other] = [newPath(t), newPath(t)];
  RateLimiter.machine(one, { limit: 5, windowMs: 1000, maxKeys: 100 });
  DpopReplayCache.machine(other, { maxEntries: 100 });
  assert.throws(() => DpopReplayCache.machine(one), coded('ERR_DPOP_FILE'));
  assert.throws(() => RateLimiter.machine(other), coded('ERR_LIMIT_FILE'));
});

test('a client that sends a proof to each of a thousand requests is remembered once for each', async () => {
  const { key, token, verifier } = await client();

  const replay = olderCache({ maxEntries: 64 });
  const check = declareAuthentication('a test')({ verifier, dpop: { replay, url: () => AT } });
  let refused = 0;
  for (let number = 0; number < 1000; number += 1) {
    const headers = withProof(key, token, AT);
    const raw = { headers, rawHeaders: Object.entries(headers).flat(), method: 'GET', url: '/' };
    await check(raw, raw, {}).catch((error) => {
      assert.equal(error.cause.code, 'ERR_DPOP_FULL');
      assert.deepEqual([error.status, error.headers], [503, { 'Retry-After': '5' }]);
      refused += 1;
    });
  }
  const { entries } = replay.stats();
  assert.ok(entries >= 64 && entries <= 128, `${entries}`);
  assert.equal(refused, 1000 - entries);
});
