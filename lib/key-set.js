'use strict';

const { isProxy } = require('node:util').types;

const { CHANNELS, publish } = require('./audit/publish.js');
const { makeError } = require('./errors.js');
const { native } = require('./native.js');
const { lifetime } = require('./key-set/freshness.js');
const { Refresher } = require('./key-set/refresher.js');
const { failure, request } = require('./key-set/request.js');
const { Uncloneable } = require('./uncloneable.js');

/**
 * A verifier gets the refresher of a RemoteJwks by this name. A private name would hide it from the
 * verifiers of another copy of the façade, which would then use the keys and never fetch them.
 */
const REFRESHER = Symbol.for('@nodesec/native: the refresher of a RemoteJwks');

const CHANGED = CHANNELS['keyset.changed'];
const FAILED = CHANNELS['keyset.failed'];

class RemoteJwks extends Uncloneable {
  #target;
  #policy;
  #refresher;
  /** Headers of the last answer, for the next request. */
  #answer = { etag: undefined, cacheControl: undefined };
  #loadedAt;
  #freshUntil = -Infinity;
  #lastError;

  constructor(url, options) {
    super();
    const text = url instanceof URL ? url.href : url;
    // With the null prototype, a missing option is not read from Object.prototype.
    const policy = { __proto__: null, ...native.jwksAttach(this, text, options) };
    const { allowInsecureHttp, headers, fetch, timeoutMs, maxBytes, cooldown } = policy;
    const target = { url: checkedUrl(text, allowInsecureHttp), headers: checkedHeaders(headers) };
    this.#target = { ...target, fetch, timeoutMs, maxBytes };
    this.#policy = policy;
    this.#refresher = new Refresher((trigger) => this.#load(trigger), cooldown * 1000);
  }

  get [REFRESHER]() {
    return #refresher in this ? this.#refresher : undefined;
  }

  async refresh() {
    const error = await this.#refresher.fetch();
    if (error !== undefined) throw error;
  }

  list() {
    return (native.jwksList(this) ?? []).map(([kid, alg]) => ({ kid, alg }));
  }

  status() {
    const loadedAt = this.#loadedAt && new Date(this.#loadedAt);
    const ignored = native.jwksIgnored(this);
    return { keys: this.#state(), loadedAt, lastError: this.#lastError, ignored };
  }

  async #load(trigger) {
    try {
      const { changed, seconds } = await this.#fetch();
      this.#loadedAt = Date.now();
      this.#freshUntil = performance.now() + seconds * 1000;
      this.#lastError = undefined;
      const ignored = native.jwksIgnored(this);
      if (changed && CHANGED.hasSubscribers) publish(CHANGED, { origin: this.#origin, trigger });
      this.#tell({ type: 'refreshed', trigger, changed, freshFor: seconds, ignored });
      return seconds;
    } catch (error) {
      native.jwksOutlast(this, this.#policy.staleIfError);
      this.#lastError = error;
      const keys = this.#state();
      if (FAILED.hasSubscribers) {
        publish(FAILED, { code: error.code, origin: this.#origin, trigger, keys });
      }
      this.#tell({ type: 'failed', trigger, error, keys });
      throw error;
    }
  }

  async #fetch() {
    const answer = await request(this.#target, this.#answer.etag);
    const isNew = answer.text !== undefined;
    // An answer without a body may omit Cache-Control; the previous one then still applies.
    answer.cacheControl ??= isNew ? undefined : this.#answer.cacheControl;
    const seconds = lifetime(answer, this.#policy);
    const changed = isNew && this.#replace(answer.text, seconds);
    if (!isNew) native.jwksRenew(this, seconds);
    this.#answer = { etag: answer.etag, cacheControl: answer.cacheControl };
    return { changed, seconds };
  }

  #replace(text, seconds) {
    try {
      return native.jwksLoad(this, text, seconds);
    } catch (cause) {
      const expected = this.#policy.format === 'x509' ? 'set of certificates' : 'JWK Set';
      throw failure(`the response is not a ${expected}: ${cause.message}`, cause);
    }
  }

  /** Without the path and the query, which may hold a key. */
  get #origin() {
    return new URL(this.#target.url).origin;
  }

  #state() {
    if (native.jwksList(this) === null) return 'none';
    return performance.now() < this.#freshUntil ? 'fresh' : 'stale';
  }

  /** Calls the listener with an event. Its errors are dropped, so that verifying goes on. */
  #tell(event) {
    const { onEvent } = this.#policy;
    if (onEvent === undefined) return;
    (async () => onEvent(event))().catch(() => {});
  }
}

/** The refresher of a RemoteJwks, undefined for any other value. */
function refresherOf(keys) {
  // A proxy is no RemoteJwks, and would run the code of its owner.
  return isProxy(keys) ? undefined : keys?.[REFRESHER];
}

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/**
 * Returns the URL if it is allowed. The messages never quote it: it may hold a password or a key.
 */
function checkedUrl(text, allowInsecureHttp) {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain = url?.protocol === 'http:' && !LOOPBACK.test(url.hostname);
  if ((isPlain && !allowInsecureHttp) || !/^https?:$/.test(url?.protocol)) {
    const message =
      'url must be an https: URL; http: needs a loopback address or the option allowInsecureHttp';
    throw makeError('ERR_INVALID_ARG_VALUE', message);
  }
  if (url.username !== '' || url.password !== '' || url.href.includes('#')) {
    const message = 'url must not have credentials or a fragment; pass credentials in `headers`';
    throw makeError('ERR_INVALID_ARG_VALUE', message);
  }
  if (isPlain) native.jwksWarnInsecure();
  return url.href;
}

function checkedHeaders(headers) {
  try {
    return [...new Headers(headers)];
  } catch {
    throw makeError('ERR_INVALID_ARG_VALUE', 'headers must have names and values that HTTP allows');
  }
}

module.exports = { RemoteJwks, refresherOf };
