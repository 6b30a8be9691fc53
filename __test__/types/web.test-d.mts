// The middleware as ES modules, with the declarations of `req.auth` and `req.login`.

import express from 'express';
import Fastify from 'fastify';
import { ConcurrencyLimiter, DpopReplayCache, type JwtVerifier, type JwtVerifiers, KeyRing, LoginThrottle, RateLimiter, type Sessions } from '@nodesec/native';
import { correlationId, toPino, withCorrelation } from '@nodesec/native/audit';
import {
  auditContext,
  authenticate,
  crossOriginProtection,
  jwks,
  loginThrottle,
  NodesecStore,
  rateLimit,
  requireScope,
  sessionCookies,
} from '@nodesec/native/express';
import '@nodesec/native/express/augment';
import {
  audit,
  authentication,
  cookies,
  crossOrigin,
  jwksRoute,
  loginThrottling,
  NodesecFastifyStore,
  rateLimiting,
  requireScope as scopeHook,
} from '@nodesec/native/fastify';
import { challenge, rateLimitFields, readBearer, statusOf } from '@nodesec/native/web';
import { rateLimit as expressRateLimit } from 'express-rate-limit';
import fastifyRateLimit from '@fastify/rate-limit';

declare const verifier: JwtVerifier;
declare const several: JwtVerifiers;
const limiter = new RateLimiter({ limit: 1, windowMs: 1000 });
const throttle = new LoginThrottle();
const keys = new KeyRing({ alg: 'ES256' });
const replay = DpopReplayCache.shared('a', { maxEntries: 100 });

const app = express();
app.use(authenticate({ verifier, from: 'both', acr: ['mfa'], maxAuthAge: '5m' }), requireScope('a', 'b'));
app.use(authenticate({ verifier: several }));
const limited = rateLimit({ limiter, key: async (req) => req.auth?.claims.sub ?? 'nobody', headers: false });
limited.assertConfigured(app);
app.use(limited, rateLimit({ limiter: new ConcurrencyLimiter({ max: 1 }) }));
app.use('/jwks', jwks({ keys }));
app.post('/login', loginThrottle({ throttle, account: (req) => String(req.body) }), (req, res) => {
  req.login?.success();
  req.auth?.scheme satisfies 'bearer' | 'cookie' | 'DPoP' | undefined;
  req.auth?.jkt satisfies string | undefined;
  res.end();
});
app.use(expressRateLimit({ store: new NodesecStore() }));
// @ts-expect-error A verifier is required.
authenticate({});
// @ts-expect-error A scope is required.
requireScope();
// @ts-expect-error There is no such style.
rateLimit({ limiter, headers: 'draft-9' });
app.use(authenticate({ verifier, dpop: 'accept' }));
app.use(authenticate({ verifier, dpop: { maxAge: '30s', nonce: true, replay, url: async (req) => req.originalUrl } }));
// @ts-expect-error There is no such mode.
authenticate({ verifier, dpop: { mode: 'maybe' } });

declare const sessions: Sessions;
const session = sessionCookies({ sessions, verifier, access: { sameSite: 'strict' }, refresh: { name: '__Host-rt', path: '/' } });
app.use(auditContext({ header: 'X-Amzn-Trace-Id', inbound: false }), auditContext(), session.middleware);
app.use(crossOriginProtection({ trustedOrigins: ['https://app.example'], bypass: async (req) => req.path === '/', strict: true }));
app.post('/auth/refresh', session.refresh).post('/auth/logout', session.logout);
app.post('/login', async (req, res) => {
  session.issue(res, await sessions.start('ann'));
  session.clear(res);
});
// @ts-expect-error The refresh token is sent to its own site alone.
sessionCookies({ sessions, verifier, refresh: { sameSite: 'lax' } });
// @ts-expect-error Sessions are required.
sessionCookies({ verifier });

toPino(console) satisfies () => void;
withCorrelation('job', async () => correlationId()) satisfies Promise<string | undefined>;
// @ts-expect-error A logger has three methods.
toPino({ info() {} });

const server = Fastify();
await server.register(audit, { respond: false });
await server.register(crossOrigin, { bypass: (request) => request.url === '/' });
await server.register(cookies, { sessions, verifier: several, routes: false });
server.post('/login', { config: { nodesec: { crossOrigin: { strict: true } } } }, async (request, reply) => {
  return reply.clearSession().issueSession(await sessions.start('ann')).send(request.nodesec.auth?.claims.sub);
});
toPino(server.log);
await server.register(authentication, { verifier, scope: 'read' });
await server.register(rateLimiting, { limiter, hook: 'preHandler', key: (request) => request.ip });
await server.register(loginThrottling, { throttle, account: () => 'ann' });
await server.register(jwksRoute, { keys });
await server.register(fastifyRateLimit, { store: NodesecFastifyStore.with({ maxKeys: 100 }) });
server.get(
  '/',
  { config: { nodesec: { auth: { scope: 'admin' }, limit: false, login: true } }, onRequest: scopeHook('a') },
  async ({ nodesec }) => nodesec.auth?.claims.sub ?? nodesec.limit?.remaining,
);
// @ts-expect-error A scope is text.
server.get('/wrong', { config: { nodesec: { auth: { scope: 42 } } } }, async () => 'in');
// @ts-expect-error A verifier is required.
await server.register(authentication, {});

readBearer(new Headers()) satisfies string | undefined;
challenge({ scope: 'a' }).status satisfies number;
statusOf(new Error()) satisfies number | undefined;
rateLimitFields(limiter.consume('a'), 'legacy') satisfies Record<string, string>;
