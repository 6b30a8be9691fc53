// The manual of @nodesec/native/express: middleware for Express 4.18 and 5. docs/express.md is a
// guide.
//
// - Options are checked when the middleware is made: `ERR_UNKNOWN_OPTION`, `ERR_MISSING_OPTION`,
//   `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`.
// - `rateLimit` answers a refusal itself. Every other refusal goes to `next(error)` as a
//   `WebError`, with which Express answers unless the app has an error handler of its own.
// - Rejections of your callbacks go to `next`, in Express 4, too.

/// <reference types="node" />

import type { IncomingMessage } from 'node:http';

import type { NextFunction, Request, RequestHandler, Response } from 'express';

import type {
  ClockOptions,
  ConcurrencyResult,
  KeyRing,
  RateLimitResult,
  TokenPair,
  WebError,
} from './index.js';
import type {
  AuthenticationOptions,
  CorrelationOptions,
  CrossOriginOptions,
  LimitingOptions,
  SessionCookiesOptions,
  ThrottlingOptions,
} from './web.js';

export type { Authentication, Certificate, DpopOptions, Login, SessionCookiesOptions } from './web.js';

/** The options of {@link authenticate}. */
export interface AuthenticateOptions extends AuthenticationOptions<Request> {}

/**
 * Lets a request in if its token is accepted, and sets `req.auth`. Import
 * `@nodesec/native/express/augment` once for the type of `req.auth`.
 *
 * | request | answer |
 * |---|---|
 * | no credentials, or another scheme | 401, `Bearer` |
 * | a malformed or doubled header; tokens in two places | 400, `invalid_request` |
 * | a token that is refused, or bound to a key that was not shown | 401, `invalid_token` |
 * | a login that is too old or too weak | 401, `insufficient_user_authentication` |
 * | a token without a scope | 403, `insufficient_scope` |
 * | with `dpop`: a proof that is refused, or none | 401, `DPoP`, `invalid_dpop_proof` |
 * | with `dpop`: a proof without the nonce | 401, `use_dpop_nonce`, `DPoP-Nonce` |
 * | keys or revocations are unavailable, or the replay cache is full | 503, `Retry-After` |
 *
 * A token in the parameter `access_token` of the query or of a form is never accepted. Beside
 * another token it counts as a second place; a form counts only if its body is parsed before. With
 * a `RemoteJwks` it waits for the keys. Put a middleware for CORS before it, because a preflight
 * has no credentials.
 *
 * @example
 * ```ts
 * import express from 'express';
 * import { JwtIssuer, JwtKey, JwtVerifier } from '@nodesec/native';
 * import { authenticate, requireScope } from '@nodesec/native/express';
 * import '@nodesec/native/express/augment';
 *
 * const keys = await JwtKey.generate('ES256');
 * const policy = { keys, issuer: 'https://id.example', audience: 'api' };
 * const verifier = new JwtVerifier({ ...policy, cache: true });
 * const token = new JwtIssuer({ ...policy, expiresIn: '15m' }).sign({ sub: 'ann', scope: 'read' });
 *
 * const app = express();
 * app.set('env', 'test'); // Express logs no errors
 * app.get('/me', authenticate({ verifier }), (req, res) => void res.send(req.auth?.claims.sub));
 * app.get('/admin', authenticate({ verifier }), requireScope('admin'), (req, res) => void res.end());
 *
 * const server = app.listen(0, '127.0.0.1', async () => {
 *   const { port } = server.address() as { port: number };
 *   const get = (path: string, headers = {}) => fetch(`http://127.0.0.1:${port}${path}`, { headers });
 *   console.log((await get('/me')).headers.get('www-authenticate')); // Bearer
 *   const headers = { authorization: `Bearer ${token}` };
 *   console.log(await (await get('/me', headers)).text()); // ann
 *   console.log((await get('/admin', headers)).status); // 403
 *   server.close();
 *   server.closeAllConnections();
 * });
 * ```
 */
export function authenticate(options: AuthenticateOptions): RequestHandler;

/**
 * Lets a request in if its token has all of these scopes, else 403; 401 if nobody has authenticated
 * it. Put it behind {@link authenticate}.
 */
export function requireScope(...scopes: [string, ...string[]]): RequestHandler;

/** The options of {@link rateLimit}. */
export interface RateLimitOptions extends LimitingOptions<Request, Response> {
  /** Answers a refusal in place of the middleware. The header fields are set already. */
  handler?: (
    req: Request,
    res: Response,
    next: NextFunction,
    result: RateLimitResult | ConcurrencyResult,
  ) => void | Promise<void>;
}

/** The middleware of {@link rateLimit}. */
export interface RateLimitHandler extends RequestHandler {
  /**
   * Throws `ERR_INVALID_ARG_VALUE` if clients of this app choose their address: `trust proxy` is
   * `true`, trusts all addresses of a family, or is a number above 32. Requests would all be
   * answered with 500. Call it when the app is configured.
   */
  assertConfigured(app: { get(name: string): unknown }): void;
}

/**
 * Limits the requests of each client.
 *
 * A refusal is a 429 of `application/problem+json` (RFC 9457) that names the violated limits, with
 * `Retry-After`. If a `ConcurrencyLimiter` has no place for anybody, it is a 503. The place of a
 * request is given back when its response has ended or its client has hung up.
 *
 * Header fields are appended to those of a limiter before: give the limits names. Fields that have
 * room for one limit only (`draft-7`, `draft-6`, `legacy`) tell of the tightest. If a limiter
 * before has set fields of another draft, they stay as they are. Of two `Retry-After` the later one
 * stays. Requests of other origins also get `Access-Control-Expose-Headers`.
 *
 * Without `key`, each client is an address. Behind a proxy, set `trust proxy` to its address or to
 * the number of proxies: else all clients have the proxy's address and share one limit. If every
 * client can choose its address, each request is a 500.
 *
 * @example
 * ```ts
 * import express from 'express';
 * import { RateLimiter } from '@nodesec/native';
 * import { rateLimit } from '@nodesec/native/express';
 *
 * const limiter = new RateLimiter({ limits: [{ name: 'burst', limit: 1, windowMs: 60_000 }] });
 * const app = express();
 * app.set('env', 'test'); // Express logs no errors
 * const limited = rateLimit({ limiter });
 * limited.assertConfigured(app);
 * app.use(limited);
 * app.get('/', (req, res) => void res.send('hello'));
 *
 * const server = app.listen(0, '127.0.0.1', async () => {
 *   const { port } = server.address() as { port: number };
 *   const get = () => fetch(`http://127.0.0.1:${port}/`);
 *   console.log((await get()).headers.get('ratelimit')); // "burst";r=0;t=60
 *   const refused = await get();
 *   console.log(refused.status, refused.headers.get('retry-after')); // 429 60
 *   const problem = (await refused.json()) as { 'violated-policies': string[] };
 *   console.log(problem['violated-policies']); // [ 'burst' ]
 *   server.close();
 *   server.closeAllConnections();
 * });
 * ```
 */
export function rateLimit(options: RateLimitOptions): RateLimitHandler;

/** The options of {@link loginThrottle}. */
export interface LoginThrottleHandlerOptions extends ThrottlingOptions<Request> {}

/**
 * Asks a `LoginThrottle` before the handler of a login runs, so before the password is hashed. A
 * refusal is a 429 with `Retry-After`.
 *
 * Sets `req.login`. If the handler calls neither of its functions, the status of its answer tells
 * the outcome: 2xx is a success, 401 and 403 are a failure. Any other answer, and a client that
 * hangs up before, leaves the attempt counted. Put it behind the parser of the body.
 *
 * @example
 * ```ts
 * import express from 'express';
 * import { LoginThrottle } from '@nodesec/native';
 * import { loginThrottle } from '@nodesec/native/express';
 *
 * const throttle = new LoginThrottle({ freeFailures: 1, jitter: 0 });
 * const app = express();
 * app.set('env', 'test'); // Express logs no errors
 * app.post(
 *   '/login',
 *   express.json(),
 *   loginThrottle({
 *     throttle,
 *     // Without a name the account is empty, and the answer 400.
 *     account: (req) => String(req.body?.username ?? '').toLowerCase(),
 *   }),
 *   (req, res) => void res.status(401).end(), // stands for a wrong password
 * );
 *
 * const server = app.listen(0, '127.0.0.1', async () => {
 *   const { port } = server.address() as { port: number };
 *   const headers = { 'content-type': 'application/json' };
 *   const body = JSON.stringify({ username: 'Ann' });
 *   const url = `http://127.0.0.1:${port}/login`;
 *   const login = () => fetch(url, { method: 'POST', headers, body });
 *   console.log((await login()).status); // 401
 *   console.log((await fetch(url, { method: 'POST' })).status); // 400
 *   const refused = await login();
 *   console.log(refused.status, refused.headers.get('retry-after')); // 429 60
 *   server.close();
 *   server.closeAllConnections();
 * });
 * ```
 */
export function loginThrottle(options: LoginThrottleHandlerOptions): RequestHandler;

/** The options of {@link jwks}. */
export interface JwksOptions {
  /** The ring. */
  keys: KeyRing;
}

/**
 * Answers GET and HEAD with the JWK Set of a ring, its entity tag and its `max-age`, with 304 if
 * the client has the set, and other methods with 405. If the store of the ring cannot be read, the
 * answer is a 503 with `Retry-After`.
 *
 * @example
 * ```ts
 * import express from 'express';
 * import { KeyRing } from '@nodesec/native';
 * import { jwks } from '@nodesec/native/express';
 *
 * const keys = new KeyRing({ alg: 'ES256' });
 * await keys.rotate();
 * const app = express();
 * app.set('env', 'test'); // Express logs no errors
 * app.use('/.well-known/jwks.json', jwks({ keys }));
 *
 * const server = app.listen(0, '127.0.0.1', async () => {
 *   const { port } = server.address() as { port: number };
 *   const answer = await fetch(`http://127.0.0.1:${port}/.well-known/jwks.json`);
 *   console.log(answer.headers.get('content-type')); // application/jwk-set+json
 *   server.close();
 *   server.closeAllConnections();
 * });
 * ```
 */
export function jwks(options: JwksOptions): RequestHandler;

/**
 * Makes the middleware and the handlers for sessions in cookies. docs/browser.md is a guide.
 *
 * The access token is in `__Host-at` (`HttpOnly`, `Secure`, `SameSite=Lax`, `Path=/`), the refresh
 * token in `__Secure-rt` (`SameSite=Strict`, `Path=/auth`). Each lives as long as its token, and at
 * most 400 days. `Secure` is always set, also without TLS. No script sees a token.
 *
 * @example
 * ```ts
 * import express from 'express';
 * import { JwtIssuer, JwtKey, JwtVerifier, RevocationList, Sessions } from '@nodesec/native';
 * import { authenticate, crossOriginProtection, sessionCookies } from '@nodesec/native/express';
 *
 * const policy = { keys: await JwtKey.generate('ES256'), issuer: 'https://id.example', audience: 'web' };
 * const revocations = new RevocationList();
 * const issuer = new JwtIssuer({ ...policy, expiresIn: '10m' });
 * const sessions = new Sessions({ issuer, revocations, refreshTtl: '30d' });
 * const verifier = new JwtVerifier({ ...policy, revocations });
 * const cookies = sessionCookies({ sessions, verifier });
 *
 * const app = express();
 * app.set('env', 'test'); // Express logs no errors
 * app.use(crossOriginProtection());
 * app.post('/login', async (req, res) => {
 *   cookies.issue(res, await sessions.start('ann')); // after her password was verified
 *   res.end();
 * });
 * app.post('/auth/refresh', cookies.refresh);
 * app.post('/auth/logout', cookies.logout);
 * app.get('/me', authenticate({ verifier, from: 'cookie' }), (req, res) => void res.send('hello'));
 *
 * const server = app.listen(0, '127.0.0.1', async () => {
 *   const { port } = server.address() as { port: number };
 *   const call = (method: string, path: string, cookie = '') =>
 *     fetch(`http://127.0.0.1:${port}${path}`, { method, headers: { cookie } });
 *   const set = (await call('POST', '/login')).headers.getSetCookie();
 *   console.log(set[0]); // __Host-at=…; Max-Age=600; Path=/; HttpOnly; Secure; SameSite=Lax
 *   const [access, refresh] = set.map((field) => field.split(';')[0]);
 *   console.log((await call('GET', '/me', access)).status); // 200
 *   console.log(await (await call('POST', '/auth/refresh', refresh)).json()); // { expiresIn: 600 }
 *   console.log((await call('POST', '/auth/logout', access)).status); // 204
 *   console.log((await call('GET', '/me', access)).status); // 401
 *   server.close();
 *   server.closeAllConnections();
 * });
 * ```
 */
export function sessionCookies(options: SessionCookiesOptions): SessionCookies;

/** The middleware and the handlers of {@link sessionCookies}. */
export interface SessionCookies {
  /**
   * Sets `req.auth` if the cookie has a token that is accepted. Any other request goes on without
   * it: put `requireScope` or {@link authenticate} behind it. A cookie that comes twice is a 400,
   * and a 503 means that keys or revocations are unavailable.
   */
  middleware: RequestHandler;
  /**
   * Exchanges the refresh token for new cookies. The answer is `{ expiresIn }`, the seconds until
   * the next refresh is due. If the session has ended, it is a 401 that removes the cookies; if the
   * store cannot answer, a 503 that keeps them. Other methods than POST are a 405, and a request of
   * another origin is a 403, also without {@link crossOriginProtection} before.
   */
  refresh: RequestHandler;
  /**
   * Ends the session of the cookies and removes them: 204, also if there is no session. Refuses as
   * `refresh` does.
   */
  logout: RequestHandler;
  /**
   * Sets the cookies of a session. Other cookies of the response stay, and it is `no-store`. A
   * value that is no pair is `ERR_INVALID_ARG_TYPE`, and a token that no browser would keep, of
   * more than 4096 bytes with its name, `ERR_OUT_OF_RANGE`.
   */
  issue(res: Response, pair: TokenPair): void;
  /** Removes the cookies, for example after `sessions.endAll()`. */
  clear(res: Response): void;
}

/** The options of {@link crossOriginProtection}. */
export interface CrossOriginProtectionOptions extends CrossOriginOptions<Request> {}

/**
 * Refuses requests that a page of another origin may have caused (CSRF), with 403:
 *
 * 1. GET, HEAD and OPTIONS pass, except for WebSockets.
 * 2. `Sec-Fetch-Site` passes with `same-origin` or `none`.
 * 3. An origin of `trustedOrigins` passes.
 * 4. Without `Sec-Fetch-Site`, the host of `Origin` must be the one that the client requested: that
 *    of `Host`, of `:authority`, or of `X-Forwarded-Host` if `trust proxy` trusts the proxy.
 * 5. A request with neither header comes from no browser and passes, unless `strict`.
 *
 * If one of these headers comes twice, the answer is a 400. The audit trail has each refusal as
 * `request.refused`. Put it before the parsers of bodies. Handlers of GET must change nothing.
 *
 * @example
 * ```ts
 * import express from 'express';
 * import { crossOriginProtection } from '@nodesec/native/express';
 *
 * const app = express();
 * app.set('env', 'test'); // Express logs no errors
 * app.use(crossOriginProtection({ trustedOrigins: ['https://app.example'] }));
 * app.post('/', (req, res) => void res.end());
 *
 * const server = app.listen(0, '127.0.0.1', async () => {
 *   const { port } = server.address() as { port: number };
 *   const post = (origin: string) =>
 *     fetch(`http://127.0.0.1:${port}/`, { method: 'POST', headers: { origin } });
 *   console.log((await post('https://app.example')).status); // 200
 *   console.log((await post('https://evil.example')).status); // 403
 *   server.close();
 *   server.closeAllConnections();
 * });
 * ```
 */
export function crossOriginProtection(options?: CrossOriginProtectionOptions): CrossOriginProtection;

/** The middleware of {@link crossOriginProtection}. */
export interface CrossOriginProtection extends RequestHandler {
  /** Judges a request for an upgrade, such as to WebSocket, which does not come to the app. */
  (req: IncomingMessage, res: undefined, next: (error?: WebError) => void): void;
}

/** The options of {@link auditContext}. */
export interface AuditContextOptions extends CorrelationOptions {}

/**
 * Gives each request a correlation id, which all its events in the audit trail have, and which
 * `correlationId()` gives. It is that of `X-Request-Id`, or the trace of `traceparent`, or a new
 * UUID of version 7. An id of the client has 1 to 64 letters, digits and characters of `._:+/=@-`;
 * any other one is replaced, as `correlation.replaced` tells.
 *
 * Put it first. Parsers of bodies keep it. If another middleware loses it, put it behind that one
 * once more: the id stays the same.
 *
 * @example
 * ```ts
 * import express from 'express';
 * import { correlationId } from '@nodesec/native/audit';
 * import { auditContext } from '@nodesec/native/express';
 *
 * const app = express();
 * app.use(auditContext(), express.json());
 * app.post('/', (req, res) => void res.send(correlationId()));
 *
 * const server = app.listen(0, '127.0.0.1', async () => {
 *   const { port } = server.address() as { port: number };
 *   const headers = { 'content-type': 'application/json', 'x-request-id': 'job-17' };
 *   const answer = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', headers, body: '{}' });
 *   console.log(answer.headers.get('x-request-id'), await answer.text()); // job-17 job-17
 *   server.close();
 *   server.closeAllConnections();
 * });
 * ```
 */
export function auditContext(options?: AuditContextOptions): RequestHandler;

/** The options of {@link NodesecStore}. */
export interface NodesecStoreOptions extends ClockOptions {
  /** As `maxKeys` of `RateLimiter`. Default: 2^20. */
  maxKeys?: number;
  /** Put before each key, of at most 256 characters. Default: none. */
  prefix?: string;
}

/**
 * A store of express-rate-limit: its counts are in a native table of bounded size, which forgets
 * the key that recovers first, without a timer. A window begins with a client's first hit. A count
 * goes up to 4,194,303.
 *
 * Each limiter needs a store of its own (`ERR_INVALID_ARG_VALUE`). A method that is called before
 * `init` throws `ERR_MISSING_OPTION`.
 *
 * @example
 * ```ts
 * import { rateLimit } from 'express-rate-limit';
 * import { NodesecStore } from '@nodesec/native/express';
 *
 * const store = new NodesecStore({ maxKeys: 100_000 });
 * const limiter = rateLimit({ windowMs: 60_000, limit: 100, store });
 * console.log(typeof limiter, store.increment('client').totalHits); // function 1
 * ```
 */
export class NodesecStore {
  constructor(options?: NodesecStoreOptions);
  /** True: the counts are those of this process. */
  localKeys: boolean;
  /** The option `prefix`. */
  prefix: string;
  /** Takes the window: 1 ms to 366 days. */
  init(options: { windowMs: number }): void;
  /** The hits of a key, undefined if there are none. */
  get(key: string): HitCount | undefined;
  /** Adds a hit. */
  increment(key: string): HitCount;
  /** Takes a hit back. */
  decrement(key: string): void;
  /** Forgets a key. */
  resetKey(key: string): void;
  /** Forgets all keys. */
  resetAll(): void;
  /** Forgets all keys. There is no timer to stop. */
  shutdown(): void;
}

/** The hits of a key. */
export interface HitCount {
  /** Hits in the window. */
  totalHits: number;
  /** The end of the window. */
  resetTime: Date | undefined;
}
