// Requests a second of a service behind authentication and a limit, beside the usual packages, and
// the time of the hooks alone.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { JwtIssuer, JwtKey } from '@nodesec/native';
import autocannon from 'autocannon';
import Fastify from 'fastify';

import { AUDIENCE, ISSUER, KID, TTL, claimsFor } from '../lib/claims.mjs';
import { measure, median } from '../lib/measure.mjs';
import { duration, verdict } from '../lib/report.mjs';
import { EXPRESS, FASTIFY } from '../lib/web-services.mjs';
import { inTurn } from '../lib/work.mjs';

const SERVICES = fileURLToPath(new URL('../lib/web-services.mjs', import.meta.url));
const TOKENS = 1000;
const CONNECTIONS = 50;
/** The requests that all connections share where autocannon does not allow them to differ. */
const SHARED = 20;
/** Requests under way on a connection. With one at a time, the client is slower than Fastify. */
const PIPELINED = { Express: 1, Fastify: 10 };
const HOOKS_AT_MOST_NS = 5000;
const CONTESTANTS = { Express: EXPRESS, Fastify: FASTIFY };

/** The ratios of requests a second to reach. express-jwt knows no EdDSA. */
const SERVED = [
  ['Express', 'HS256', 1.3],
  ['Fastify', 'HS256', 1.3],
  ['Fastify', 'EdDSA', 1.5],
];

export const rows = SERVED.map(([framework, alg, target]) => ({
  name: `web: requests a second in ${framework}, ${alg}`,
  setting:
    `autocannon with ${CONNECTIONS} connections of ${PIPELINED[framework]} requests, no caches, a limit that ` +
    'allows all; each service is a process of its own, and they take turns',
  observe: (how) => served(framework, alg, target, how),
}));

rows.push({
  name: 'web: the hooks alone, HS256',
  setting: 'authentication and a limit of one request, on requests without sockets; no cache',
  observe: hooksAlone,
});

async function served(framework, alg, target, { quick }) {
  const key = keyOf(alg);
  const requests = tokensOf(key).map((authorization) => ({ headers: { authorization } }));
  const names = Object.keys(CONTESTANTS[framework]);
  const services = [];
  try {
    for (const name of names) services.push(await started({ framework, name, key }));
    for (const service of services) await load(service, requests, 1);
    for (let round = 0; round < (quick ? 5 : 15); round += 1) {
      const turn = round % services.length;
      for (const service of [...services.slice(turn), ...services.slice(0, turn)]) {
        service.samples.push(await load(service, requests, quick ? 2 : 4));
      }
    }
  } finally {
    for (const { child } of services) child.kill();
  }
  return reported(services, target);
}

async function started(job) {
  const child = spawn(process.execPath, [SERVICES, JSON.stringify(job)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(child.stdout, 'data');
  const url = `http://127.0.0.1:${Number(line)}/`;
  return { name: job.name, child, url, pipelining: PIPELINED[job.framework], samples: [] };
}

async function load({ name, url, pipelining }, requests, seconds) {
  const { errors, non2xx, latency, requests: sent } = await autocannon({
    url,
    connections: CONNECTIONS,
    pipelining,
    duration: seconds,
    ...(pipelining === 1 ? { setupClient: sharing(requests) } : { requests: requests.slice(0, SHARED) }),
  });
  assert.deepEqual([errors, non2xx], [0, 0], name);
  return { perSecond: sent.total / seconds, p99: latency.p99 };
}

/**
 * Gives each connection requests of its own. autocannon builds those of a connection after the
 * clock has started: all of them for every connection would take it half a second.
 */
function sharing(requests) {
  const share = requests.length / CONNECTIONS;
  let first = 0;
  return (client) => client.setRequests(requests.slice(first, (first += share)));
}

function reported([ours, ...others], target) {
  const figures = ({ name, samples }) => {
    const perSecond = median(samples.map((sample) => sample.perSecond));
    const p99 = median(samples.map((sample) => sample.p99));
    return `  ${name.padEnd(38)} ${perSecond.toFixed(0).padStart(8)}/s, p99 ${p99} ms`;
  };
  const lines = others.map((other) => {
    const ratio = median(ours.samples.map(({ perSecond }, round) => perSecond / other.samples[round].perSecond));
    const bare = other.name.startsWith('no ');
    const judged = bare ? '' : `, ${verdict(ratio >= target, `at least ${target}`)}`;
    return `${figures(other)}   ours has ${ratio.toFixed(2)}x${judged}`;
  });
  return `${[figures(ours), ...lines].join('\n')}\n`;
}

async function hooksAlone({ quick }) {
  const key = keyOf('HS256');
  const tokens = tokensOf(key);
  const contestants = [
    { name: 'Express, @nodesec/native', run: inTurn(tokens, await inExpress('@nodesec/native', key)) },
    { name: 'Express, express-jwt, express-rate-limit', run: inTurn(tokens, await inExpress('express-jwt, express-rate-limit', key)) },
    { name: 'Fastify, @nodesec/native', run: inTurn(tokens, await inFastify('@nodesec/native', key)) },
  ];
  const measured = await measure(contestants, { quick });
  const lines = measured.map(({ name, samples }) => {
    const time = median(samples);
    const own = name.includes('@nodesec/native');
    const judged = own ? `   ${verdict(time <= HOOKS_AT_MOST_NS, 'at most 5 µs')}` : '';
    return `  ${name.padEnd(42)} ${duration(time).padStart(10)}${judged}`;
  });
  return `${lines.join('\n')}\n`;
}

/** Calls the middleware one after the other, as Express does. */
async function inExpress(name, key) {
  const middleware = EXPRESS[name](key);
  const app = { get: () => undefined };
  const call = (authorization) =>
    new Promise((resolve, reject) => {
      const { req, res } = exchange(authorization);
      req.app = app;
      const step = (at) => (error) => {
        if (error !== undefined) reject(error);
        else if (at === middleware.length) resolve(req);
        else middleware[at](req, res, step(at + 1));
      };
      step(0)();
    });
  const { auth } = await call(tokensOf(key)[0]);
  assert.equal(auth.claims?.role ?? auth.role, 'admin');
  return call;
}

/** Calls the hooks one after the other, as Fastify does. */
async function inFastify(name, key) {
  const app = Fastify();
  const hooks = [];
  const addHook = app.addHook.bind(app);
  app.addHook = (hook, fn) => (hook === 'onRequest' ? hooks.push(fn) : addHook(hook, fn));
  await FASTIFY[name](app, key);
  const call = async (authorization) => {
    const { req, res } = exchange(authorization);
    const fields = new Map();
    const request = { raw: req, headers: req.headers, ip: req.ip, server: app, routeOptions: { config: {} } };
    const reply = {
      raw: res,
      sent: false,
      getHeader: (field) => fields.get(field),
      header: (field, value) => fields.set(field, value),
    };
    for (const hook of hooks) await hook.call(app, request, reply);
    return request;
  };
  const request = await call(tokensOf(key)[0]);
  const [state] = Object.getOwnPropertySymbols(request).map((symbol) => request[symbol]);
  assert.equal(state.auth.claims.role, 'admin');
  return call;
}

/** A request and its response, as far as middleware looks at them. */
function exchange(authorization) {
  const fields = new Map();
  const rawHeaders = ['Host', 'a', 'Authorization', authorization, 'Connection', 'keep-alive'];
  const headers = { host: 'a', authorization, connection: 'keep-alive' };
  const req = { method: 'GET', url: '/', headers, rawHeaders, ip: '127.0.0.1' };
  const res = {
    headersSent: false,
    getHeader: (field) => fields.get(field),
    setHeader: (field, value) => fields.set(field, value),
    append: (field, value) => fields.set(field, value),
  };
  return { req, res };
}

function keyOf(alg) {
  if (alg === 'HS256') return { alg, secret: randomBytes(32).toString('hex') };
  const pair = generateKeyPairSync('ed25519', {
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return { alg, publicPem: pair.publicKey, privatePem: pair.privateKey };
}

function tokensOf({ alg, secret, privatePem }) {
  const options = { alg, kid: KID };
  const keys = secret ? JwtKey.fromSecret(Buffer.from(secret), options) : JwtKey.fromPem(privatePem, options);
  const issuer = new JwtIssuer({ keys, issuer: ISSUER, audience: AUDIENCE, expiresIn: TTL });
  return Array.from({ length: TOKENS }, (_, n) => `Bearer ${issuer.sign({ ...claimsFor(150), sub: `u-${n}` })}`);
}
