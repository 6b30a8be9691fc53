// The limits over Redis with the types of each client, as ES modules.

import type { Redis as Iovalkey } from 'iovalkey';
import type { Cluster, Redis } from 'ioredis';
import type { Redis as Redis5 } from 'ioredis5';
import { createClient, createCluster } from 'redis';
import { createClient as createClient5 } from 'redis5';
import Fastify from 'fastify';
import express from 'express';

import { rateLimit } from '@nodesec/native/express';
import { rateLimiting } from '@nodesec/native/fastify';
import {
  type JwtIssuer,
  JwtKey,
  type KeyRing,
  RevocationList,
  SecretBuffer,
  type Sessions,
} from '@nodesec/native';
import {
  type RedisClient,
  RedisDpopReplayCache,
  RedisKeyRing,
  RedisRateLimiter,
  RedisRevocations,
  RedisSessions,
} from '@nodesec/native/redis';

declare const clients: [Redis, Redis5, Cluster, Iovalkey];
const all: RedisClient[] = [...clients, createClient(), createClient5(), createCluster({ rootNodes: [] })];
const [client] = all;
if (client === undefined) throw new Error();

const limiter = new RedisRateLimiter({ client, limit: 1, windowMs: 1000, onStoreError: 'deny', strict: true });
(await limiter.check('key', 2)) satisfies boolean;
const { degraded, violated, limits } = await limiter.consume(Buffer.from('key'));
[degraded, violated, limits[0]?.name] satisfies [boolean, string[], string | undefined];
limiter.status().reason satisfies string | undefined;
express().use(rateLimit({ limiter, refundOn: () => true }));
await Fastify().register(rateLimiting, { limiter });

new RedisRateLimiter({
  client: { send: async (args, route) => [args.length, route?.key] },
  limits: [{ name: 'a', limit: 1, windowMs: 1 }],
});
const list = new RevocationList();
const revocations = await RedisRevocations.open({ client, list, maxStaleness: '30s', waitReplicas: 1 });
revocations.status().state satisfies 'following' | 'interrupted' | 'stale' | 'closed';
revocations.close() satisfies Promise<void>;
// @ts-expect-error The longest time without an answer is required.
await RedisRevocations.open({ client, list });
// @ts-expect-error It is made by open.
new RedisRevocations();
const ring = await RedisKeyRing.open({ client, key: SecretBuffer.random(32), alg: 'ES256', rotateEvery: '30d' });
ring satisfies KeyRing;
ring.addAsync(await JwtKey.generate('ES256'), { state: 'next' }) satisfies Promise<void>;
ring.status().state satisfies 'following' | 'interrupted' | 'closed';
ring.close() satisfies Promise<void>;
// @ts-expect-error A key is required.
await RedisKeyRing.open({ client });
// @ts-expect-error It is made by open.
new RedisKeyRing();
declare const parts: { issuer: JwtIssuer; key: SecretBuffer };
const sessions = new RedisSessions({ client, revocations: list, idleTtl: '7d', deadlineMs: 500, ...parts });
sessions satisfies Sessions;
(await sessions.start('ada', { role: 'admin' })).refreshToken satisfies string;
// @ts-expect-error A key is required.
new RedisSessions({ client, revocations: list, issuer: parts.issuer });
// @ts-expect-error The server does not count the sessions of all subjects.
new RedisSessions({ client, revocations: list, maxSessions: 5, ...parts });
// @ts-expect-error A client is required.
new RedisRateLimiter({ limit: 1, windowMs: 1000 });
// @ts-expect-error A client is no address.
new RedisRateLimiter({ client: 'redis://localhost', limit: 1, windowMs: 1000 });
const proofs = new RedisDpopReplayCache({ client, key: SecretBuffer.random(32), prefix: 'proofs', deadlineMs: 500 });
const { available, reason: outage }: { available: boolean; reason: string | undefined } = proofs.status();
// @ts-expect-error a server without a key
new RedisDpopReplayCache({ client });
// @ts-expect-error an outage is no reason to let requests in
new RedisDpopReplayCache({ client, key: SecretBuffer.random(32), onStoreError: 'allow' });
