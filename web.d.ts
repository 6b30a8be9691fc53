// The manual of @nodesec/native/web: what the middleware for Express and Fastify stands on, for
// other frameworks.

/// <reference types="node" />

import type { IncomingHttpHeaders } from 'node:http';

import type { ConcurrencyResult, JwtError, RateLimitResult, RevocationError, WebError } from './index.js';

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

/** The demand that a request does not meet. */
export type Unmet =
  /** A refusal of `tryVerify`, or an error of `verify`. */
  | JwtError
  | RevocationError
  | {
      /** The code of a refusal. */
      code: string;
      /** Its message, for `cause`. */
      message?: string;
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
}

/**
 * Makes the answer to a request that is not let in, with `status` and `headers`, as an error.
 *
 * Without a reason, which is for a request without credentials, it is a 401 that names no error. A
 * refused token is a 401 `invalid_token`. If keys or revocations are not to be had
 * (`ERR_JWT_KEYS_UNAVAILABLE`, `ERR_REVOCATION_STORE`, `ERR_REVOCATION_CLOSED`), it is a 503 with
 * `Retry-After`: the client keeps its token. The reason is the error's `cause`. A reason that is
 * none of these throws `ERR_INVALID_ARG_VALUE`.
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
 * that of `Retry-After`. A result of something else throws `ERR_INVALID_ARG_TYPE`.
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
