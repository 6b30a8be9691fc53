// The manual of @nodesec/native/web: the functions below the middleware for Express and Fastify,
// for other frameworks.

/// <reference types="node" />

import type { X509Certificate } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

import type {
  Claims,
  ConcurrencyLimiter,
  ConcurrencyResult,
  DpopError,
  DpopReplayCache,
  Duration,
  JwtError,
  JwtHeader,
  JwtVerifier,
  JwtVerifierOptions,
  JwtVerifiers,
  LoginThrottle,
  RateLimiter,
  RateLimitResult,
  RevocationError,
  Sessions,
  WebError,
} from './index.js';
import type { RedisDpopReplayCache } from './redis.js';

/**
 * Reads the token of the header `Authorization` (RFC 6750 section 2.1). The scheme is `Bearer` in
 * any case of letters.
 *
 * Gives undefined if there is no such header or it has another scheme. Throws a `WebError` with the
 * status 400 if the header is malformed or comes twice. Node shows the first of several headers
 * `Authorization` only, so give it `headersDistinct`, or a `Headers`.
 *
 * @example
 * ```ts
 * import { readBearer } from '@nodesec/native/web';
 *
 * console.log(readBearer({ authorization: 'Bearer mF_9.B5f-4.1JqM' })); // mF_9.B5f-4.1JqM
 * console.log(readBearer(new Headers())); // undefined
 * ```
 */
export function readBearer(
  headers: IncomingHttpHeaders | NodeJS.Dict<string[]> | Headers,
): string | undefined;

/**
 * Reads the scheme and the token of the header `Authorization`, as {@link readBearer} does, for
 * services that accept DPoP, too. Undefined for other schemes.
 *
 * @example
 * ```ts
 * import { readAuthorization } from '@nodesec/native/web';
 *
 * console.log(readAuthorization({ authorization: 'dpop mF_9.B5f-4.1JqM' })); // { scheme: 'DPoP', token: 'mF_9.B5f-4.1JqM' }
 * ```
 */
export function readAuthorization(
  headers: IncomingHttpHeaders | NodeJS.Dict<string[]> | Headers,
): { scheme: 'Bearer' | 'DPoP'; token: string } | undefined;

/** The options of {@link DpopProofs}. */
export type DpopProofsOptions = Pick<DpopOptions<never>, 'maxAge' | 'nonce' | 'replay' | 'origins'>;

/** A request with a proof. */
export interface DpopRequest {
  /** Its header fields. */
  headers: IncomingHttpHeaders | NodeJS.Dict<string[]> | Headers;
  /** Its method. */
  method: string;
  /**
   * The address that the client has requested. Query and fragment do not count. `url` of a
   * `Request` is made of the header `Host`, which the client writes: set the option `origins`, or
   * answer to your own names only.
   */
  url: string;
  /** The access token, which is verified. */
  token: string;
  /** The claims of the token. */
  claims: object;
  /**
   * The members of `cnf` beside `jkt` that you have checked for this request, at most 10: for
   * example `x5t#S256`, if the connection has the certificate (RFC 8705). A token that is bound in
   * another way is refused. Default: none.
   */
  confirmed?: readonly string[];
}

/** The answer of {@link DpopProofs.check}. A `nonce` is for `DPoP-Nonce` of the response. */
export type DpopResult =
  | {
      /** The proof is accepted. */
      ok: true;
      /** The thumbprint of the key. */
      jkt: string;
      /** The next nonce. */
      nonce?: string;
    }
  | {
      /** The proof is refused. */
      ok: false;
      /** For `challenge`. */
      code: string;
      /** The rule that the proof breaks. */
      message: string;
      /** For `challenge`. */
      scheme: 'DPoP';
      /** The nonce for the next proof. */
      nonce?: string;
    };

/**
 * The check of DPoP proofs (RFC 9449) for other frameworks. Verify the token first, and refuse
 * a token with `cnf` as `Bearer`. Give a refusal to {@link challenge}. docs/dpop.md says what is
 * checked; `accept` and `require` are up to you.
 *
 * @example
 * ```ts
 * import { JwtIssuer, JwtKey, JwtVerifier, createDpopProof } from '@nodesec/native';
 * import { DpopProofs, challenge, readAuthorization } from '@nodesec/native/web';
 * import { setTimeout } from 'node:timers/promises';
 *
 * const policy = { keys: await JwtKey.generate('ES256'), issuer: 'https://id.example', audience: 'api' };
 * const verifier = new JwtVerifier(policy);
 * const proofs = new DpopProofs({ maxAge: '30s', origins: ['https://api.example'] });
 * await setTimeout(1100); // a proof of the first second is refused
 *
 * async function answer({ method, url, headers }: Request) {
 *   const { scheme, token } = readAuthorization(headers) ?? {};
 *   if (scheme !== 'DPoP' || token === undefined) throw challenge(undefined, { scheme: 'DPoP' });
 *   const verified = await verifier.tryVerifyAsync(token);
 *   if (!verified.ok) throw challenge(verified, { scheme: 'DPoP' });
 *   const proven = await proofs.check({ headers, method, url, token, claims: verified.claims });
 *   if (!proven.ok) throw challenge(proven);
 *   return new Response(verified.claims.sub);
 * }
 *
 * const key = await JwtKey.generate('ES256'); // of the client
 * const token = new JwtIssuer({ ...policy, expiresIn: 60 }).sign({ sub: 'ann', cnf: { jkt: key.kid } });
 * const url = 'https://api.example/me';
 * const dpop = createDpopProof(key, { method: 'GET', url, accessToken: token });
 * const request = new Request(url, { headers: { authorization: `DPoP ${token}`, dpop } });
 * console.log(await (await answer(request)).text()); // ann
 * console.log(await answer(request).catch(({ status }) => status)); // 401
 * ```
 */
export class DpopProofs {
  constructor(options?: DpopProofsOptions);
  /** Judges the proof of a request, once: a proof that is accepted is refused the next time. */
  check(request: DpopRequest): Promise<DpopResult>;
}

/** The demand that a request does not meet. */
export type Unmet =
  /** A refusal of `tryVerify`, or an error of `verify`. */
  | DpopError
  | JwtError
  | RevocationError
  | {
      /** The code of a refusal. */
      code: string;
      /** Its message, for `cause`. */
      message?: string;
      /** The scheme of the request, as `DpopProofs` gives it. */
      scheme?: 'DPoP';
      /** With `ERR_DPOP_NONCE`: the value of `DPoP-Nonce`. */
      nonce?: string;
    }
  | {
      /** The scopes that a token must have: 403. */
      scope: string | readonly string[];
    }
  | {
      /** The authentication context classes of which a token must have one: 401 (RFC 9470). */
      acr?: readonly string[] | undefined;
      /** The seconds since the user authenticated, at most: 401 (RFC 9470). */
      maxAge?: number | undefined;
    }
  | {
      /** Credentials that are malformed, doubled or in two places: 400. */
      error: 'invalid_request';
    };

/** The options of {@link challenge}. */
export interface ChallengeOptions {
  /** The protected area: 1 to 256 characters of printable ASCII without `"` and `\`. */
  realm?: string;
  /**
   * The scheme of the request. Default: `DPoP` for a `DpopError` and for a refusal of `DpopProofs`,
   * else `Bearer`.
   */
  scheme?: 'Bearer' | 'DPoP';
}

/**
 * Makes the answer to a request that is not let in, with `status` and `headers`, as an error.
 *
 * Without a reason, which is for a request without credentials, it is a 401 that names no error. A
 * refused token is a 401 `invalid_token`, and a refused proof (RFC 9449) a 401 `invalid_dpop_proof`
 * or `use_dpop_nonce`, of the scheme `DPoP`. If keys or revocations are unavailable
 * (`ERR_JWT_KEYS_UNAVAILABLE`, `ERR_REVOCATION_STORE`, `ERR_REVOCATION_STALE`,
 * `ERR_REVOCATION_CLOSED`), it is a 503 with `Retry-After`: the client keeps its token. The reason
 * is the error's `cause`. A reason that is none of these throws `ERR_INVALID_ARG_VALUE`.
 *
 * @example
 * ```ts
 * import { challenge } from '@nodesec/native/web';
 *
 * const { status, headers } = challenge({ scope: ['read', 'write'] }, { realm: 'api' });
 * console.log(status); // 403
 * console.log(headers['WWW-Authenticate']); // Bearer realm="api", error="insufficient_scope", scope="read write"
 * ```
 */
export function challenge(reason?: Unmet | WebError, options?: ChallengeOptions): WebError;

/**
 * Gives the HTTP status for an error of this module, as docs/errors.md has it for each code; for
 * any other value, undefined. With a 503, send `Retry-After`: `retryAfterMs` of the error in
 * seconds, or a few seconds if it has none.
 *
 * @example
 * ```ts
 * import { RevocationList } from '@nodesec/native';
 * import { statusOf } from '@nodesec/native/web';
 *
 * const list = new RevocationList();
 * list.close();
 * console.log(await list.revokeSubject('ann').catch(statusOf)); // 503
 * console.log(statusOf(new Error('of something else'))); // undefined
 * ```
 */
export function statusOf(error: unknown): number | undefined;

/**
 * The header fields that tell clients of their limits.
 *
 * - `draft-8+`: `RateLimit-Policy` and `RateLimit` as a List with every limit, of
 *   draft-ietf-httpapi-ratelimit-headers since version 8 (the last one is 11);
 * - `draft-7`: the same names, with the tightest limit;
 * - `draft-6`: `RateLimit-Limit`, `RateLimit-Remaining`, `RateLimit-Reset`, `RateLimit-Policy`;
 * - `legacy`: `X-RateLimit-Limit`, `X-RateLimit-Remaining`, and `X-RateLimit-Reset` in seconds
 *   since 1970;
 * - `false`: none.
 */
export type RateLimitStyle = 'draft-8+' | 'draft-7' | 'draft-6' | 'legacy' | false;

/**
 * Gives the header fields of a result, by default in the style `draft-8+`. A refusal has
 * `Retry-After` in every style, in seconds and at least 1.
 *
 * The time in `RateLimit` (`t`) is that after which the limit is full again, and after a refusal
 * that of `Retry-After`. A value that is no result of a limiter throws `ERR_INVALID_ARG_TYPE`.
 *
 * @example
 * ```ts
 * import { RateLimiter } from '@nodesec/native';
 * import { rateLimitFields } from '@nodesec/native/web';
 *
 * const api = new RateLimiter({ limits: [{ name: 'burst', limit: 100, windowMs: 60_000 }] });
 * const fields = rateLimitFields(api.consume('customer:17', 50));
 * console.log(fields['RateLimit-Policy']); // "burst";q=100;w=60
 * console.log(fields['RateLimit']); // "burst";r=50;t=30
 * ```
 */
export function rateLimitFields(
  result: RateLimitResult | ConcurrencyResult,
  style?: RateLimitStyle,
): Record<string, string>;

/** The sender of a request, as the middleware sets `req.auth` or `request.nodesec.auth`. */
export interface Authentication<T = Record<string, unknown>> {
  /** The claims of the token. */
  claims: Claims & T;
  /** The header of the token, frozen. */
  header: JwtHeader;
  /** The scheme or the place of the token. */
  scheme: 'bearer' | 'cookie' | 'DPoP';
  /** With `DPoP`: the thumbprint of the key that the client has proven to hold (RFC 7638). */
  jkt?: string;
}

/** The options of DPoP (RFC 9449), with the requests of a framework. */
export interface DpopOptions<Request> {
  /**
   * Whether every request needs a proof (`require`, the default), or tokens that are not bound to a
   * key are also accepted as `Bearer` (`accept`).
   */
  mode?: 'off' | 'accept' | 'require';
  /**
   * The longest age of a proof, or with `nonce` of its nonce: 1 second to an hour. Default: 60
   * seconds. The clock of a client may be 30 seconds ahead.
   */
  maxAge?: Duration;
  /**
   * Whether proofs need a nonce of this service. A request without one gets a 401 with a nonce in
   * `DPoP-Nonce`, and is repeated. Once half the time of a nonce is over, the answer to a request
   * with it has the next one. The clock of the client then does not matter. Default: false.
   */
  nonce?: boolean;
  /**
   * The cache of used proofs. Default: one for all threads of the process, or with a `clock` of the
   * verifier one for that verifier. Its clock is that of the proofs. `JwtVerifiers` with different
   * clocks need this option.
   */
  replay?: DpopReplayCache | RedisDpopReplayCache;
  /**
   * The origins of the service, 1 to 100, such as `https://api.example`: without a path, and without
   * the port if it is that of the scheme. A proof for another origin is refused. Clients choose the
   * header `Host`: without this option, a proof that another service has got counts here if it is
   * sent with that service's name. So set it, or have a proxy refuse all names but yours.
   */
  origins?: string[];
  /**
   * Gives the address that the client has asked, for services behind a proxy that changes host or
   * path. Default: protocol and host as the framework finds them by its trusted proxies, and the
   * path as it was received.
   */
  url?: (request: Request) => string | Promise<string>;
}

/** The options of the middleware that authenticates, with the requests of a framework. */
export interface AuthenticationOptions<Request> {
  /** The verifier, or for several issuers the verifiers by exact `iss`. */
  verifier:
    | JwtVerifier<JwtVerifierOptions, unknown>
    | JwtVerifiers<JwtVerifier<JwtVerifierOptions, unknown>>;
  /**
   * The place of the token: the header `Authorization`, a cookie, or either of them. Default:
   * `bearer`. With a cookie, other sites can send requests in the user's name: put
   * `crossOriginProtection` or the plugin `crossOrigin` before it.
   */
  from?: 'bearer' | 'cookie' | 'both';
  /** The name of the cookie, of at most 256 characters. Default: `__Host-at`. */
  cookie?: string;
  /**
   * Whether a request without credentials is refused. Default: true. A token that is refused is
   * refused with `false`, too.
   */
  required?: boolean;
  /**
   * The scopes that a token must have, all of them, in its claim `scope` or `scp`: text with spaces
   * or a list. At most 100.
   */
  scope?: string | string[];
  /** The values of `acr` of which a token must have one (RFC 9470). At most 100. */
  acr?: string | string[];
  /**
   * The longest time since the user authenticated, by the claim `auth_time` (RFC 9470) and the
   * clock of the verifier.
   */
  maxAuthAge?: Duration;
  /**
   * Gives the certificate of the client, for tokens that are bound to one (`cnf` with `x5t#S256`,
   * RFC 8705), as an `X509Certificate`, DER or PEM. It is called for such tokens only. Such a token
   * is refused without this option, and for text that is no certificate. One that is bound in
   * another way than to a certificate or, with `dpop`, to a key is refused.
   */
  getCertificate?: (
    request: Request,
  ) => Certificate | undefined | null | Promise<Certificate | undefined | null>;
  /**
   * Proofs of possession (DPoP, RFC 9449). With `off`, which is the default, tokens that are bound
   * to a key (`cnf` with `jkt`) are refused. With `accept` a token is accepted as `DPoP` with a
   * proof of its key, and as `Bearer` if it is not bound to one. With `require` every token needs a
   * proof. An object is `require` unless it has a `mode`. Tokens in cookies have no proofs:
   * `require` takes `from: 'bearer'` only.
   */
  dpop?: 'off' | 'accept' | 'require' | DpopOptions<Request>;
  /** The protected area, in challenges: 1 to 256 characters of ASCII without `"` and `\`. */
  realm?: string;
}

/** A certificate: parsed, as DER, or as PEM. */
export type Certificate = X509Certificate | Uint8Array | string;

/**
 * A limiter whose calls return promises, such as `RedisRateLimiter`. If it denies a request because
 * its server does not answer, the answer is 503.
 */
export interface AsyncRateLimiter {
  /** Takes the cost (default 1) if it is there, and gives the numbers to tell the client. */
  consume(key: string | Uint8Array, cost?: number): Promise<RateLimitResult & { degraded?: boolean }>;
  /** Gives back a cost (default 1); for `refundOn`. */
  refund?(key: string | Uint8Array, cost?: number): Promise<unknown>;
}

/** The options of the middleware that limits requests, with the requests of a framework. */
export interface LimitingOptions<Request, Response> {
  /** The limiter. Several middlewares may share it. */
  limiter: RateLimiter | ConcurrencyLimiter | AsyncRateLimiter;
  /**
   * Gives the key of a request: text or bytes, 1 to 8192 bytes long. Default: `ipKey` of the
   * client's address. A request without a key is a 500, and one whose key is too long or malformed
   * a 400.
   */
  key?: (request: Request) => string | Uint8Array | Promise<string | Uint8Array>;
  /**
   * The units that a request takes. Default: 1. If a function gives 0, it is not counted; if it
   * gives more than any client can ever have, the answer is a 400 without `Retry-After`, because no
   * wait would help. Such a number is `ERR_LIMIT_COST` when the middleware is made.
   */
  cost?: number | ((request: Request) => number | Promise<number>);
  /** Whether a request is not counted. */
  skip?: (request: Request) => boolean | Promise<boolean>;
  /**
   * Whether the units of a request are given back, asked when its response has ended or its client
   * has hung up: for requests that turn out not to count.
   */
  refundOn?: (request: Request, response: Response) => boolean | Promise<boolean>;
  /** The header fields. Default: `draft-8+`. */
  headers?: RateLimitStyle;
  /**
   * With `false`, requests are counted and never refused, and there are no header fields: to try a
   * limit. The limiter still publishes `limit.denied`. A request that cannot be counted,
   * because a callback has failed or its key or cost cannot be used, is let in and published as
   * `limit.failed`. Default: true.
   */
  enforce?: boolean;
}

/** The options of the middleware for logins, with the requests of a framework. */
export interface ThrottlingOptions<Request> {
  /** The throttle. */
  throttle: LoginThrottle;
  /**
   * Gives the account of a request, the same text for every spelling that the login accepts. A
   * request without one is a 400.
   */
  account: (request: Request) => string | Promise<string>;
}

/** The outcome of an attempt, as the middleware sets `req.login` or `request.nodesec.login`. */
export interface Login {
  /** The password was right. */
  success(): void;
  /** The password was wrong. */
  failure(): void;
}

/** The options of the middleware that gives requests a correlation id. */
export interface CorrelationOptions {
  /**
   * The header that has the id of a request, and of its response: at most 64 characters. Default:
   * `X-Request-Id`.
   */
  header?: string;
  /**
   * Whether ids of the client count: that header, and `traceparent` (W3C Trace Context). With false
   * each request gets a new id. Default: true.
   */
  inbound?: boolean;
  /** Whether the response tells the id. Default: true. */
  respond?: boolean;
}

/** The options of the middleware against requests of other origins. */
export interface CrossOriginOptions<Request> {
  /**
   * The origins whose pages may send any request, as browsers write them: `https://app.example`,
   * without a path, and with a port only if it is not that of the scheme. At most 100.
   */
  trustedOrigins?: readonly string[];
  /**
   * Whether a request passes that would otherwise be refused: only true lets it pass. For routes
   * that know their senders in another way than by cookies.
   */
  bypass?: (request: Request) => boolean | Promise<boolean>;
  /**
   * Whether a request with neither `Sec-Fetch-Site` nor `Origin` is refused. Browsers send at least
   * one of them with every request that changes something; programs send neither. Default: false.
   */
  strict?: boolean;
}

/** The options of the middleware for sessions in cookies. */
export interface SessionCookiesOptions {
  /** The sessions. */
  sessions: Sessions;
  /** The verifier of their access tokens, with the list of the sessions. */
  verifier: AuthenticationOptions<unknown>['verifier'];
  /** The cookie of the access token, with `Path=/`. */
  access?: {
    /** The name, of at most 256 characters. Default: `__Host-at`. */
    name?: string;
    /** With `strict`, no link of another site finds the user logged in. Default: `lax`. */
    sameSite?: 'lax' | 'strict';
  };
  /** The cookie of the refresh token, with `SameSite=Strict`. */
  refresh?: {
    /** The name, of at most 256 characters. Default: `__Secure-rt`. */
    name?: string;
    /** The path of refresh and logout, as browsers see it. Default: `/auth`. */
    path?: string;
  };
}
