// The manual of @nodesec/native/fastify: plugins for Fastify 5. docs/fastify.md is a guide.
//
// - A plugin holds for the scope that registers it and for its child scopes: every route and 404
//   handler, also those that were declared before. `config.nodesec` of a route replaces options of
//   a plugin, or opts out with `false`.
// - Options are checked at registration, which rejects with `ERR_UNKNOWN_OPTION`,
//   `ERR_MISSING_OPTION`, `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` or `ERR_OUT_OF_RANGE`.
//   Those of a route are checked when it is declared, if the plugin was awaited before.
// - A route with `config.nodesec` whose plugin is not registered is an error of `ready()`.
// - `rateLimiting` answers a refusal itself. Every other refusal is thrown as a `WebError`, with
//   which Fastify answers unless the app has an error handler of its own.

/// <reference types="node" />

import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';

import type {
  ClockOptions,
  ConcurrencyResult,
  KeyRing,
  RateLimitResult,
  TokenPair,
} from './index.js';
import type {
  Authentication,
  AuthenticationOptions,
  CorrelationOptions,
  CrossOriginOptions,
  LimitingOptions,
  Login,
  SessionCookiesOptions,
  ThrottlingOptions,
} from './web.js';

export type { Authentication, Certificate, DpopOptions, Login } from './web.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the plugins of this module, once one is registered in the scope. */
    readonly nodesec: RequestState;
  }
  interface FastifyReply {
    /**
     * Sets the cookies of a session, once {@link cookies} is registered in the scope. Other cookies
     * of the reply stay, and it is `no-store`. A value that is no pair is `ERR_INVALID_ARG_TYPE`,
     * and a token that no browser would keep, of more than 4096 bytes with its name,
     * `ERR_OUT_OF_RANGE`.
     */
    issueSession(pair: TokenPair): this;
    /** Removes the cookies, for example after `sessions.endAll()`. */
    clearSession(): this;
  }
  interface FastifyContextConfig {
    /** The options of a route, for the plugins of this module. */
    nodesec?: RouteConfig;
  }
}

/** The results of the plugins for a request. */
export interface RequestState {
  /** Set by {@link authentication} and {@link cookies} for a token that is accepted. */
  auth: Authentication | undefined;
  /** The result of the limiter that was asked last, set by {@link rateLimiting}. */
  limit: RateLimitResult | ConcurrencyResult | undefined;
  /** Set by {@link loginThrottling}. */
  login: Login | undefined;
}

/** The options of a route, in `config.nodesec`. An unknown member is `ERR_UNKNOWN_OPTION`. */
export interface RouteConfig {
  /** Options in place of those of {@link authentication}, or false: anybody may ask. */
  auth?: boolean | Partial<FastifyAuthenticationOptions>;
  /** Options in place of those of {@link crossOrigin}, or false: any page may send requests. */
  crossOrigin?: boolean | Partial<FastifyCrossOriginOptions>;
  /**
   * Options in place of those of {@link rateLimiting}, or false: no limit. If several were
   * registered, they replace those of the last one, and the others hold unchanged.
   */
  limit?: boolean | Partial<Omit<FastifyRateLimitingOptions, 'hook'>>;
  /** Whether the route is a login: true, or options in place of {@link loginThrottling}'s. */
  login?: boolean | Partial<FastifyLoginThrottlingOptions>;
}

/** The options of {@link authentication}. */
export interface FastifyAuthenticationOptions extends AuthenticationOptions<FastifyRequest> {}

/**
 * Lets a request in if its token is accepted, and sets `request.nodesec.auth`. The hook is
 * `onRequest`, so a refused body is not read.
 *
 * | request | answer |
 * |---|---|
 * | no credentials, or another scheme | 401, `Bearer` |
 * | a malformed or doubled header; tokens in two places, also the query | 400, `invalid_request` |
 * | a token that is refused, or bound to a key that was not shown | 401, `invalid_token` |
 * | a login that is too old or too weak | 401, `insufficient_user_authentication` |
 * | a token without a scope | 403, `insufficient_scope` |
 * | with `dpop`: a proof that is refused, or none | 401, `DPoP`, `invalid_dpop_proof` |
 * | with `dpop`: a proof without the nonce | 401, `use_dpop_nonce`, `DPoP-Nonce` |
 * | keys or revocations are unavailable, or the replay cache is full | 503, `Retry-After` |
 *
 * In a child scope, another registration replaces that of its parents; a second one in the same
 * scope is `ERR_INVALID_ARG_VALUE`. Register `@fastify/cors` before it, because a preflight has no
 * credentials.
 *
 * @example
 * ```ts
 * import Fastify from 'fastify';
 * import { JwtIssuer, JwtKey, JwtVerifier } from '@nodesec/native';
 * import { authentication } from '@nodesec/native/fastify';
 *
 * const keys = await JwtKey.generate('ES256');
 * const policy = { keys, issuer: 'https://id.example', audience: 'api' };
 * const verifier = new JwtVerifier({ ...policy, cache: true });
 * const token = new JwtIssuer({ ...policy, expiresIn: '15m' }).sign({ sub: 'ann', scope: 'read' });
 *
 * const app = Fastify();
 * await app.register(authentication, { verifier });
 * app.get('/me', async (request) => request.nodesec.auth?.claims.sub);
 * app.get('/admin', { config: { nodesec: { auth: { scope: 'admin' } } } }, async () => 'secret');
 * app.get('/health', { config: { nodesec: { auth: false } } }, async () => 'well');
 *
 * console.log((await app.inject('/me')).headers['www-authenticate']); // Bearer
 * const headers = { authorization: `Bearer ${token}` };
 * console.log((await app.inject({ url: '/me', headers })).body); // ann
 * console.log((await app.inject({ url: '/admin', headers })).statusCode); // 403
 * console.log((await app.inject('/health')).body); // well
 * await app.close();
 * ```
 */
export const authentication: FastifyPluginAsync<FastifyAuthenticationOptions>;

/**
 * Makes a hook, `onRequest` or a later one, that lets a request in if its token has all of these
 * scopes, else 403; 401 if {@link authentication} has not let in a token.
 */
export function requireScope(
  ...scopes: [string, ...string[]]
): (request: FastifyRequest) => Promise<void>;

/** The options of {@link rateLimiting}. */
export interface FastifyRateLimitingOptions extends LimitingOptions<FastifyRequest, FastifyReply> {
  /**
   * The hook in which the limiter is asked. Default: `onRequest`, before the body is read. With
   * `preHandler`, `key` and `cost` see the body.
   */
  hook?: 'onRequest' | 'preHandler';
  /**
   * Answers a refusal in place of the plugin: sends it, returns the body or throws. If it does
   * nothing, the plugin answers. The status and the header fields are set already.
   */
  handler?: (
    request: FastifyRequest,
    reply: FastifyReply,
    result: RateLimitResult | ConcurrencyResult,
  ) => unknown;
}

/**
 * Limits the requests of each client, also those that no route answers, and sets
 * `request.nodesec.limit`.
 *
 * A refusal is a 429 of `application/problem+json` (RFC 9457) that names the violated limits, with
 * `Retry-After`. If a `ConcurrencyLimiter` has no place for anybody, it is a 503. The place of a
 * request is given back when its response has ended or its client has hung up, after
 * `reply.hijack()`, too. `app.close()` waits for refunds that have begun.
 *
 * All registrations hold, those of outer scopes first. Header fields are appended to those of a
 * limiter before: give the limits names. Fields that have room for one limit only (`draft-7`,
 * `draft-6`, `legacy`) tell of the tightest. If a limiter before has set fields of another draft,
 * they stay as they are. Of two `Retry-After` the later one stays. Requests of other origins also
 * get `Access-Control-Expose-Headers`.
 *
 * Without `key`, each client is an address. Behind a proxy, set `trustProxy` to its address: else
 * all clients have the proxy's address and share one limit. If every client can choose its address
 * (`trustProxy: true`), the registration is refused with `ERR_INVALID_ARG_VALUE`.
 *
 * @example
 * ```ts
 * import Fastify from 'fastify';
 * import { RateLimiter } from '@nodesec/native';
 * import { rateLimiting } from '@nodesec/native/fastify';
 *
 * const limiter = new RateLimiter({ limits: [{ name: 'burst', limit: 1, windowMs: 60_000 }] });
 * const app = Fastify();
 * await app.register(rateLimiting, { limiter });
 * app.get('/', async () => 'hello');
 *
 * console.log((await app.inject('/')).headers.ratelimit); // "burst";r=0;t=60
 * const refused = await app.inject('/');
 * console.log(refused.statusCode, refused.headers['retry-after']); // 429 60
 * console.log(refused.json()['violated-policies']); // [ 'burst' ]
 * await app.close();
 * ```
 */
export const rateLimiting: FastifyPluginAsync<FastifyRateLimitingOptions>;

/** The options of {@link loginThrottling}. */
export interface FastifyLoginThrottlingOptions extends ThrottlingOptions<FastifyRequest> {}

/**
 * Asks a `LoginThrottle` before the handler of a login runs, so before the password is hashed: on
 * the routes with `config.nodesec.login`. A refusal is a 429 with `Retry-After`. The hook is
 * `preHandler`, because the account is in the body.
 *
 * Sets `request.nodesec.login`. If the handler calls neither of its functions, the status of its
 * answer tells the outcome: 2xx is a success, 401 and 403 are a failure. Any other answer, and a
 * client that hangs up before, leaves the attempt counted.
 *
 * In a child scope, another registration replaces that of its parents; a second one in the same
 * scope, and `trustProxy: true`, are `ERR_INVALID_ARG_VALUE`.
 *
 * @example
 * ```ts
 * import Fastify from 'fastify';
 * import { LoginThrottle } from '@nodesec/native';
 * import { loginThrottling } from '@nodesec/native/fastify';
 *
 * const throttle = new LoginThrottle({ freeFailures: 1, jitter: 0 });
 * const app = Fastify();
 * await app.register(loginThrottling, {
 *   throttle,
 *   // Without a name the account is empty, and the answer 400.
 *   account: (request) => String(Object(request.body).username ?? '').toLowerCase(),
 * });
 * app.post('/login', { config: { nodesec: { login: true } } }, async (request, reply) => {
 *   reply.code(401); // stands for a wrong password
 * });
 *
 * const login = () => app.inject({ method: 'POST', url: '/login', body: { username: 'Ann' } });
 * console.log((await login()).statusCode); // 401
 * console.log((await app.inject({ method: 'POST', url: '/login' })).statusCode); // 400
 * const refused = await login();
 * console.log(refused.statusCode, refused.headers['retry-after']); // 429 60
 * await app.close();
 * ```
 */
export const loginThrottling: FastifyPluginAsync<FastifyLoginThrottlingOptions>;

/** The options of {@link jwksRoute}. */
export interface FastifyJwksRouteOptions {
  /** The ring. */
  keys: KeyRing;
  /** The path, below the prefix of the scope. Default: `/.well-known/jwks.json`. */
  path?: string;
}

/**
 * Adds a route, for GET and HEAD, with the JWK Set of a ring, its entity tag and its `max-age`, and
 * with 304 if the client has the set. If the store of the ring cannot be read, the answer is a 503
 * with `Retry-After`. {@link authentication} does not hold for the route.
 *
 * @example
 * ```ts
 * import Fastify from 'fastify';
 * import { KeyRing } from '@nodesec/native';
 * import { jwksRoute } from '@nodesec/native/fastify';
 *
 * const keys = new KeyRing({ alg: 'ES256' });
 * await keys.rotate();
 * const app = Fastify();
 * await app.register(jwksRoute, { keys });
 *
 * const answer = await app.inject('/.well-known/jwks.json');
 * console.log(answer.headers['content-type']); // application/jwk-set+json
 * await app.close();
 * ```
 */
export const jwksRoute: FastifyPluginAsync<FastifyJwksRouteOptions>;

/** The options of {@link cookies}. */
export interface FastifyCookiesOptions extends SessionCookiesOptions {
  /**
   * The path below which the plugin has the routes for POST `refresh` and `logout`, within the
   * prefix of the scope, or false: none. It is also the default of `refresh.path`. Default:
   * `/auth`.
   */
  routes?: string | false;
}

/**
 * Keeps sessions in cookies: sets `request.nodesec.auth` if the cookie has a token that is
 * accepted. Any other request goes on without it: use {@link authentication} or
 * {@link requireScope} for routes that need it. docs/browser.md is a guide.
 *
 * The access token is in `__Host-at` (`HttpOnly`, `Secure`, `SameSite=Lax`, `Path=/`), the refresh
 * token in `__Secure-rt` (`SameSite=Strict`, `Path=/auth`). Each lives as long as its token, and at
 * most 400 days. `Secure` is always set, also without TLS. A cookie that comes twice is a
 * 400, and a 503 means that keys or revocations are unavailable.
 *
 * - `POST /auth/refresh` exchanges the refresh token for new cookies and answers `{ expiresIn }`,
 *   the seconds until the next refresh is due. If the session has ended, it is a 401 that removes
 *   the cookies; if the store cannot answer, a 503 that keeps them.
 * - `POST /auth/logout` ends the session and removes the cookies: 204.
 * - Both refuse requests of other origins with 403, also without {@link crossOrigin}, answer other
 *   methods with 405, and read no body.
 *
 * A scope and those within it have one registration (`ERR_INVALID_ARG_VALUE`).
 *
 * @example
 * ```ts
 * import Fastify from 'fastify';
 * import { JwtIssuer, JwtKey, JwtVerifier, RevocationList, Sessions } from '@nodesec/native';
 * import { cookies, crossOrigin } from '@nodesec/native/fastify';
 *
 * const policy = { keys: await JwtKey.generate('ES256'), issuer: 'https://id.example', audience: 'web' };
 * const revocations = new RevocationList();
 * const issuer = new JwtIssuer({ ...policy, expiresIn: '10m' });
 * const sessions = new Sessions({ issuer, revocations, refreshTtl: '30d' });
 * const verifier = new JwtVerifier({ ...policy, revocations });
 *
 * const app = Fastify();
 * await app.register(crossOrigin);
 * await app.register(cookies, { sessions, verifier });
 * app.post('/login', async (request, reply) => {
 *   return reply.issueSession(await sessions.start('ann')).send(); // after her password was verified
 * });
 * app.get('/me', async (request) => request.nodesec.auth?.claims.sub ?? 'nobody');
 *
 * const { cookies: set } = await app.inject({ method: 'POST', url: '/login' });
 * console.log(set.map(({ name, path }) => `${name} ${path}`).join(', ')); // __Host-at /, __Secure-rt /auth
 * const sent = Object.fromEntries(set.map(({ name, value }) => [name, value]));
 * console.log((await app.inject({ url: '/me', cookies: sent })).body); // ann
 * const refresh = { method: 'POST', url: '/auth/refresh', cookies: sent } as const;
 * console.log((await app.inject(refresh)).body); // {"expiresIn":600}
 * await app.close();
 * ```
 */
export const cookies: FastifyPluginAsync<FastifyCookiesOptions>;

/** The options of {@link crossOrigin}. */
export interface FastifyCrossOriginOptions extends CrossOriginOptions<FastifyRequest> {}

/**
 * Refuses requests that a page of another origin may have caused (CSRF), with 403, in the hook
 * `onRequest`:
 *
 * 1. GET, HEAD and OPTIONS pass, except for WebSockets.
 * 2. `Sec-Fetch-Site` passes with `same-origin` or `none`.
 * 3. An origin of `trustedOrigins` passes.
 * 4. Without `Sec-Fetch-Site`, the host of `Origin` must be the one that the client requested: that
 *    of `Host`, of `:authority`, or of `X-Forwarded-Host` if `trustProxy` trusts the proxy.
 * 5. A request with neither header comes from no browser and passes, unless `strict`.
 *
 * If one of these headers comes twice, the answer is a 400. The audit trail has each refusal as
 * `request.refused`. Handlers of GET must change nothing. In a child scope, another registration
 * replaces that of its parents; a second one in the same scope is `ERR_INVALID_ARG_VALUE`.
 *
 * @example
 * ```ts
 * import Fastify from 'fastify';
 * import { crossOrigin } from '@nodesec/native/fastify';
 *
 * const app = Fastify();
 * await app.register(crossOrigin, { trustedOrigins: ['https://app.example'] });
 * app.post('/', async () => 'in');
 *
 * const post = (origin: string) => app.inject({ method: 'POST', url: '/', headers: { origin } });
 * console.log((await post('https://app.example')).statusCode); // 200
 * console.log((await post('https://evil.example')).statusCode); // 403
 * await app.close();
 * ```
 */
export const crossOrigin: FastifyPluginAsync<FastifyCrossOriginOptions>;

/** The options of {@link audit}. */
export interface FastifyAuditOptions extends CorrelationOptions {}

/**
 * Gives each request a correlation id, which all its events in the audit trail have, and which
 * `correlationId()` gives. It is that of `X-Request-Id`, or the trace of `traceparent`, or a new
 * UUID of version 7. An id of the client has 1 to 64 letters, digits and characters of `._:+/=@-`;
 * any other one is replaced, as `correlation.replaced` tells.
 *
 * Register it first. Parsers of bodies keep it. A scope and those within it have one
 * registration (`ERR_INVALID_ARG_VALUE`).
 *
 * @example
 * ```ts
 * import Fastify from 'fastify';
 * import { correlationId } from '@nodesec/native/audit';
 * import { audit } from '@nodesec/native/fastify';
 *
 * const app = Fastify();
 * await app.register(audit);
 * app.post('/', async () => correlationId());
 *
 * const headers = { 'x-request-id': 'job-17' };
 * const answer = await app.inject({ method: 'POST', url: '/', headers, body: {} });
 * console.log(answer.headers['x-request-id'], answer.body); // job-17 job-17
 * await app.close();
 * ```
 */
export const audit: FastifyPluginAsync<FastifyAuditOptions>;

/** The options of {@link NodesecFastifyStore}. */
export interface NodesecFastifyStoreOptions extends ClockOptions {
  /** As `maxKeys` of `RateLimiter`. Default: 2^20. */
  maxKeys?: number;
}

/**
 * A store of `@fastify/rate-limit`: its counts are in native tables of bounded size, one for each
 * length of a window, which forget the key that recovers first. A window begins with a client's
 * first hit. A count goes up to 4,194,303.
 *
 * Routes with the same `groupId` share their counts, and other routes with options of their own
 * count apart. A `timeWindow` that is a function gives at most 100 different lengths
 * (`ERR_OUT_OF_RANGE`), each up to 366 days.
 *
 * @example
 * ```ts
 * import Fastify from 'fastify';
 * import rateLimit from '@fastify/rate-limit';
 * import { NodesecFastifyStore } from '@nodesec/native/fastify';
 *
 * const app = Fastify();
 * const store = NodesecFastifyStore.with({ maxKeys: 100_000 });
 * await app.register(rateLimit, { max: 1, timeWindow: '1 minute', store });
 * app.get('/', async () => 'hello');
 *
 * console.log((await app.inject('/')).statusCode); // 200
 * console.log((await app.inject('/')).statusCode); // 429
 * await app.close();
 * ```
 */
export class NodesecFastifyStore {
  /** Makes a store class whose tables have these options, for the option `store`. */
  static with(options?: NodesecFastifyStoreOptions): typeof NodesecFastifyStore;
  /** `@fastify/rate-limit` constructs it, with its own options. */
  constructor(params?: object);
  /** Adds a hit. */
  incr(key: string, callback: StoreCallback, timeWindow: number, max: number): void;
  /** Gives the hits of a key. */
  read(key: string, callback: StoreCallback, timeWindow: number, max?: number): void;
  /** Makes the store of a route with options of its own. */
  child(routeOptions: object): NodesecFastifyStore;
}

/** The callback of a store: `current` hits, and the `ttl` of their window in milliseconds. */
export type StoreCallback = (
  error: Error | null,
  result?: { current: number; ttl: number },
) => void;
