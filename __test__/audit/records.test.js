'use strict';

// The events in a log, and the ids of jobs.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { setImmediate: turn, setTimeout: sleep } = require('node:timers/promises');

const pino = require('pino');

const { JwtIssuer, JwtKey, JwtVerifier, RateLimiter, RemoteJwks, RevocationList, Store, SecretBuffer, hash, verify } = require('@nodesec/native');
const { correlationId, hashId, record, toPino, withCorrelation } = require('@nodesec/native/audit');
const { runScript } = require('../helpers/child.js');
const { heard } = require('../helpers/heard.js');
const { KeyServer } = require('../helpers/key-server.js');
const { coded } = require('../helpers/outcome.js');

/** A logger of pino and the lines that it has written. */
function logging(options = {}) {
  const lines = [];
  const logger = pino(options, { write: (line) => void lines.push(line) });
  return { lines, logger, records: () => lines.map((line) => JSON.parse(line)) };
}

const deny = () => {
  const limiter = new RateLimiter({ limit: 1, windowMs: 60_000 });
  limiter.check('a key');
  limiter.check('a key');
};

test('pino writes each event once, with a level by its outcome and each member once', async () => {
  const { lines, logger, records } = logging();
  // Where memory is not protected, the first secrets are an event of their own.
  hashId('subject', 'ann');
  const key = SecretBuffer.random(32);
  const stop = toPino(logger);
  record('invoice.read', { subject: 'ann', invoice: 17 });
  deny();
  await Store.open('/dev/null/store', { key }).catch(() => {});
  stop();
  record('invoice.read');
  const written = records();
  assert.deepEqual(
    written.map(({ level, msg, audit }) => [level, msg, audit.event, audit.outcome]),
    [
      [30, 'app.recorded', 'app.recorded', 'ok'],
      [40, 'limit.denied', 'limit.denied', 'denied'],
      [50, 'store.failed', 'store.failed', 'error'],
    ],
  );
  const [{ audit }] = written;
  assert.deepEqual([audit.subject, audit.fields], [hashId('subject', 'ann'), { invoice: 17 }]);
  assert.ok(Number.isSafeInteger(audit.time) && audit.id.length === 36);
  for (const line of lines) assert.equal(line.match(/"time":/g).length, 2, 'one of pino and one of the event');
});

test('pino may redact a record, and the event of other subscribers stays as it is', async () => {
  const { logger, records } = logging({ redact: ['audit.subject', 'audit.fields.invoice'] });
  const stop = toPino(logger);
  const [event] = await heard(() => record('invoice.read', { subject: 'ann', invoice: 17 }));
  stop();
  const [{ audit }] = records();
  assert.deepEqual([audit.subject, audit.fields.invoice], ['[Redacted]', '[Redacted]']);
  assert.deepEqual([event.subject, event.fields.invoice], [hashId('subject', 'ann'), 17]);
});

test('a level that the logger gets later counts at once', () => {
  const { logger, lines } = logging({ level: 'error' });
  const stop = toPino(logger);
  deny();
  assert.equal(lines.length, 0);
  logger.level = 'warn';
  deny();
  assert.equal(lines.length, 1);
  logger.level = 'error';
  deny();
  assert.equal(lines.length, 1);
  stop();
  stop();
});

test('two loggers each have every event until they are stopped', () => {
  const [one, two] = [logging(), logging()];
  const stops = [one, two].map(({ logger }) => toPino(logger));
  record('a');
  stops[0]();
  record('b');
  stops[1]();
  record('c');
  assert.deepEqual([one, two].map(({ records }) => records().map(({ audit }) => audit.action)), [['a'], ['a', 'b']]);
});

test('no record of a log holds a secret, a token, a password or a bare id', async () => {
  const { lines, logger } = logging();
  const stop = toPino(logger);
  const secret = 'k3y-material-that-no-record-may-repeat';
  const keys = JwtKey.fromSecret(Buffer.from(secret), { alg: 'HS256' });
  const revocations = new RevocationList();
  const verifier = new JwtVerifier({ keys, issuer: false, audience: false, revocations });
  const token = new JwtIssuer({ keys, expiresIn: '5m' }).sign({ sub: 'ann@example.com', sid: 'the-session' });
  await revocations.revoke(verifier.verify(token));
  withCorrelation('job-1', () => verifier.tryVerify(token));
  const digest = await hash('pass-word', { memoryCost: 64, timeCost: 1, parallelism: 1 });
  await verify(digest, 'wrong-word');
  stop();
  assert.ok(lines.length >= 3);
  for (const bare of [secret, token, 'ann@example.com', 'the-session', 'pass-word', 'wrong-word', digest]) {
    assert.ok(!lines.join('').includes(bare), bare);
  }
  assert.match(lines.join(''), /"correlationId":"job-1"/);
});

test('a logger without one of the three methods is refused', () => {
  for (const logger of [undefined, null, 42, 'log', () => {}, {}, { info() {}, warn() {} }]) {
    assert.throws(() => toPino(logger), coded('ERR_INVALID_ARG_TYPE'));
  }
  const seen = [];
  const own = {
    tag: 'own',
    info(...args) {
      seen.push([this.tag, ...args]);
    },
    warn() {},
    error() {},
  };
  const stop = toPino(own);
  record('a');
  stop();
  assert.deepEqual([seen.length, seen[0][0], seen[0][1].audit.action, seen[0][2]], [1, 'own', 'a', 'app.recorded']);
});

test('a job has its id in each event, until it is over, and gives its result', async () => {
  const events = await heard(async () => {
    record('before');
    const jobs = ['one', 'two'].map((id) =>
      withCorrelation(id, async () => {
        record('begun');
        await sleep(5);
        await turn();
        record('done');
        withCorrelation(`${id}/part`, () => record('part'));
        return correlationId();
      }),
    );
    record('between');
    assert.deepEqual(await Promise.all(jobs), ['one', 'two']);
    record('after');
  });
  const of = (id) => events.filter((event) => event.correlationId === id).map(({ action }) => action);
  assert.deepEqual(of(undefined), ['before', 'between', 'after']);
  for (const id of ['one', 'two']) assert.deepEqual([of(id), of(`${id}/part`)], [['begun', 'done'], ['part']]);
  assert.equal(correlationId(), undefined);
  assert.throws(() => withCorrelation('a', () => { throw new RangeError('mine'); }), RangeError);
});

test('an id that could break a line of a log, or is no text, is refused', () => {
  const none = () => assert.fail('called');
  for (const [id, code] of [
    ['a\nb', 'ERR_INVALID_ARG_VALUE'],
    ['a b', 'ERR_INVALID_ARG_VALUE'],
    ['{}', 'ERR_INVALID_ARG_VALUE'],
    ['é', 'ERR_INVALID_ARG_VALUE'],
    ['', 'ERR_OUT_OF_RANGE'],
    ['a'.repeat(65), 'ERR_OUT_OF_RANGE'],
    [42, 'ERR_INVALID_ARG_TYPE'],
    [undefined, 'ERR_INVALID_ARG_TYPE'],
  ]) {
    assert.throws(() => withCorrelation(id, none), coded(code));
  }
  assert.throws(() => withCorrelation('a', 42), coded('ERR_INVALID_ARG_TYPE'));
});

test('a rotation that comes by itself does not have the id of the job that made the ring', async () => {
  const { code, stdout, stderr } = await runScript(`
    const { subscribe } = require('node:diagnostics_channel');
    const { KeyRing, JwtIssuer, JwtKey } = require('@nodesec/native');
    const { withCorrelation } = require('@nodesec/native/audit');
    const seen = [];
    subscribe('nodesec:key.added', ({ kid, correlationId }) => seen.push([kid === 'own', correlationId ?? null]));
    withCorrelation('job', () => {
      const ring = new KeyRing({ alg: 'EdDSA', rotateEvery: '1h' });
      ring.add(JwtKey.fromSecret(Buffer.alloc(32, 1), { alg: 'HS256', kid: 'own' }), { state: 'retired' });
      globalThis.issuer = new JwtIssuer({ keys: ring, expiresIn: '1m' });
      try { issuer.sign({}); } catch {}
    });
    const alive = setInterval(() => {
      if (seen.length < 2) return;
      clearInterval(alive);
      console.log(JSON.stringify(seen.sort()));
    }, 5);`);
  assert.deepEqual([code, stdout, stderr], [0, '[[false,null],[true,"job"]]\n', '']);
});

test('a fetch of keys has the id of the job whose token caused it', async (t) => {
  const server = await KeyServer.start(t);
  server.answer = (_, response) => response.writeHead(500).end();
  const keys = new RemoteJwks(server.url);
  const verifier = new JwtVerifier({ keys, issuer: false, audience: false });
  const token = new JwtIssuer({ keys: await JwtKey.generate('ES256'), expiresIn: '5m' }).sign({});
  const events = await heard(async () => {
    await withCorrelation('one', () => verifier.tryVerifyAsync(token));
    await withCorrelation('two', () => verifier.tryVerifyAsync(token));
  });
  assert.deepEqual(
    events.map(({ event, correlationId: id }) => [event, id]).sort(),
    [
      ['keyset.failed', 'one'],
      ['token.refused', 'one'],
      ['token.refused', 'two'],
    ],
  );
});

test('a polluted Object.prototype gives no event an id', async () => {
  const { code, stdout, stderr } = await runScript(`
    const { subscribe } = require('node:diagnostics_channel');
    const { record, correlationId, withCorrelation } = require('@nodesec/native/audit');
    Object.prototype.correlationId = Object.prototype.traceId = 'polluted';
    subscribe('nodesec:app.recorded', (event) => console.log(Object.keys(event).slice(4).join()));
    record('a');
    withCorrelation('b', () => record('c'));
    console.log(correlationId());`);
  assert.deepEqual([code, stdout, stderr], [0, 'action\ncorrelationId,action\nundefined\n', '']);
});
