// Two instances of a service of examples/ that share a redis-server, and a visit to both.

import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { RedisServer } from '../../__test__/helpers/redis-server.js';
import { startService } from './service.mjs';
import { equal, get, matching, post, refused, rotated, step, tokens } from './steps.mjs';

const ADA = { username: 'ada', password: 'correct horse battery' };
const WRONG = { ...ADA, password: 'incorrect horse battery' };
/** The longest time until an instance has heard of a logout, in milliseconds. */
const HEARD_MS = 5000;

/**
 * Starts the server and the instances, with their files in a folder, and visits them. The promise
 * `ended` rejects at the first unexpected answer. `stop` ends them, at any time.
 */
export function visitInstances(folder, port) {
  const running = [];
  const ended = run(folder, port, running);
  ended.catch(() => {});
  return {
    ended,
    async stop() {
      await ended.catch(() => {});
      for (const stop of running.reverse()) await stop();
    },
  };
}

async function run(folder, port, running) {
  // Without persistence: a real one needs it, see docs/redis.md.
  const server = await RedisServer.launch({ password: 'of this visit only' });
  running.push(() => server.end());
  const env = { AUTH_REDIS_URL: `redis://:${encodeURIComponent(server.password)}@127.0.0.1:${server.port}` };
  const options = { data: path.join(folder, 'data'), env };
  const services = [];
  // The first makes the secrets, which an operator would give to all machines.
  for (const own of [port, '0']) {
    const service = await startService({ ...options, port: own });
    running.push(() => service.stop());
    services.push(service);
  }
  const urls = services.map(({ url }) => url);
  console.log(`\nTwo instances of examples/auth-service share a Redis: A on ${urls[0]}, B on ${urls[1]}`);
  try {
    await visit(...urls);
  } catch (error) {
    for (const { log } of services) console.error(log());
    throw error;
  }
}

async function visit(a, b) {
  const ask = async (url, title, request, expected) => {
    const { answer, line } = await step(url, title, request, expected);
    console.log(line);
    return answer.body;
  };
  const ada = { tell: ({ body }) => equal(body.username, ADA.username) };
  const me = ({ accessToken }) => get('/me', accessToken);
  const refresh = ({ refreshToken }) => post('/refresh', { refreshToken });

  console.log('\nA session is one on both instances, and so is the ring that signs its tokens');
  await ask(a, 'A: register', post('/register', ADA), { status: 201 });
  const first = await ask(a, 'A: login', post('/login', ADA), { tell: tokens });
  await ask(b, 'B: who am I', me(first), ada);
  const second = await ask(b, 'B: refresh', refresh(first), rotated());
  await ask(a, 'A: who am I', me(second), ada);

  console.log('\nA logout on A is refused by B');
  await ask(a, 'A: logout', post('/logout', undefined, second.accessToken), { status: 204 });
  const ms = await heard(b, me(second));
  console.log(`  B has heard of it within ${ms.toFixed(0)} ms`);
  await ask(b, 'B: who am I', me(second), refused(401, 'invalid_token'));
  await ask(b, 'B: refresh', refresh(second), refused(401, 'refresh_token_unknown'));

  console.log('\nA limit is one: five guesses at both');
  for (let guess = 1; guess <= 5; guess += 1) {
    const [url, name] = guess % 2 === 1 ? [a, 'A'] : [b, 'B'];
    const expected = refused(401, 'invalid_credentials');
    await ask(url, `${name}: guess ${guess}`, post('/login', WRONG), expected);
  }
  const limited = ({ body, headers }) => {
    const seconds = matching(headers.get('retry-after'), /^[1-9]\d*$/);
    return `${equal(body.error, 'rate_limited')}, retry after ${seconds} s`;
  };
  for (const [url, name] of [[b, 'B'], [a, 'A']]) {
    await ask(url, `${name}: the right password`, post('/login', ADA), { status: 429, tell: limited });
  }
}

/** Asks until a token is refused, and returns the milliseconds. */
async function heard(url, request) {
  const begun = performance.now();
  for (;;) {
    const { status } = await fetch(url + request.path, request);
    const ms = performance.now() - begun;
    if (status === 401 || ms > HEARD_MS) return ms;
    await sleep(5);
  }
}
