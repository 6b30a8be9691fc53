'use strict';

const { once } = require('node:events');
const https = require('node:https');

/** The statuses of answers that have no body, for which `Response` takes none. */
const WITHOUT_BODY = new Set([204, 205, 304]);

/** Makes a `fetch` for GET that trusts these authorities only, given as PEM. */
function fetchWith(ca) {
  return async (url, { headers, signal }) => {
    const request = https.get(url, { ca, headers: Object.fromEntries(new Headers(headers)), signal });
    const [response] = await once(request, 'response');
    const body = Buffer.concat(await response.toArray());
    const { headers: answered, statusCode: status } = response;
    return new Response(WITHOUT_BODY.has(status) ? null : body, { headers: answered, status });
  };
}

module.exports = { fetchWith };
