'use strict';

// Makes one request for a JWK Set, with limits on its time and on the length of the body.

const { JwtError, makeError, withCause } = require('../errors.js');

/** The Accept header of a request, unless the caller's headers have one. */
const ACCEPT = 'application/jwk-set+json, application/json';
/** Entity tags that are sent back: 1 to 1,024 characters that a header may hold. */
const ETAG = /^[ -~\x80-\xff]{1,1024}$/;

/**
 * Resolves to the body's text and the entity tag, Cache-Control and Age of the answer. The text is
 * undefined if the set with `etag` is still current. Rejects with `ERR_JWT_KEYS_UNAVAILABLE` for
 * every other answer, and for an object that only looks like an answer: the option `fetch` may
 * return anything.
 */
async function request(target, etag) {
  try {
    return await withDeadline(target.timeoutMs, (signal) => exchange(target, etag, signal));
  } catch (thrown) {
    throw thrown instanceof JwtError ? thrown : failure('the response cannot be read', thrown);
  }
}

async function exchange(target, etag, signal) {
  const response = await send(target, etag, signal);
  const { status, headers } = response;
  if (status !== 200 && !(status === 304 && etag !== undefined)) {
    throw failure(`the response status must be 200, not ${Number(status)}`);
  }
  const header = (name) => textOf(headers.get(name));
  const text = status === 200 ? await readText(response.body, target.maxBytes) : undefined;
  return {
    text,
    etag: usableEtag(header('etag')) ?? (status === 304 ? etag : undefined),
    cacheControl: header('cache-control'),
    age: header('age'),
  };
}

/** Sends the request. Redirects are not followed: the caller refuses them by their status. */
async function send({ url, headers, fetch = globalThis.fetch }, etag, signal) {
  const sent = new Headers(headers);
  if (!sent.has('accept')) sent.set('accept', ACCEPT);
  if (etag !== undefined) sent.set('if-none-match', etag);
  let response;
  try {
    const init = { __proto__: null, method: 'GET', headers: sent, redirect: 'manual', signal };
    response = await fetch(url, init);
  } catch (cause) {
    throw failure('the request failed', cause);
  }
  if (typeof response?.headers?.get !== 'function') {
    throw failure('the option `fetch` must return a Response');
  }
  if (response.redirected) throw failure('the option `fetch` must not follow redirects');
  return response;
}

async function readText(body, maxBytes) {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let text = '';
  let length = 0;
  try {
    for await (const chunk of body ?? []) {
      length += chunk.byteLength;
      if (length > maxBytes) break;
      text += decoder.decode(chunk, { stream: true });
    }
    text += decoder.decode();
  } catch (cause) {
    throw failure('the response body is incomplete or not UTF-8', cause);
  }
  if (length > maxBytes) throw failure(`the response is longer than maxBytes (${maxBytes})`);
  return text;
}

/** Settles within `ms` milliseconds, even if `work` ignores its signal. */
function withDeadline(ms, work) {
  const controller = new AbortController();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(failure(`the request took longer than ${ms} ms`)), ms);
    const done = (settle) => (value) => {
      clearTimeout(timer);
      settle(value);
    };
    work(controller.signal).then(done(resolve), done(reject));
  }).finally(() => {
    // An unread body would keep its connection open.
    controller.abort();
  });
}

function textOf(header) {
  return typeof header === 'string' ? header : undefined;
}

function usableEtag(etag) {
  return etag !== undefined && ETAG.test(etag) ? etag : undefined;
}

/**
 * The error of a failed request. Its message never quotes the URL, which may hold a key of the
 * caller. The cause may name the host.
 */
function failure(why, cause) {
  const message = `the keys could not be fetched: ${why}`;
  return withCause(makeError('ERR_JWT_KEYS_UNAVAILABLE', message), cause);
}

module.exports = { failure, request };
