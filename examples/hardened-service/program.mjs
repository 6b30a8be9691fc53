// A program with an account: it logs in with a key of its own, and proves with each request that it
// has this key (DPoP, RFC 9449). With the service of start.mjs and `--data DIR`:
//
//   export NODE_EXTRA_CA_CERTS=DIR/certificates/accounts/bundle.pem
//   PASSWORD=… node examples/hardened-service/program.mjs --username ada [--url https://localhost:8443]

import { parseArgs } from 'node:util';

import { JwtKey, createDpopProof } from '@nodesec/native';

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: 'https://localhost:8443' },
    username: { type: 'string', default: '' },
  },
});
const { PASSWORD: password } = process.env;

// To go on with its session at its next start, a program keeps key and refresh token, for example
// in the keyring of the system.
const key = await JwtKey.generate('ES256');

const credentials = { username: values.username, password, key: key.toPublicJwk() };
const { refreshToken } = await call('POST', 'login', { body: credentials });
// An access token ends after minutes. The next one is bound to the same key, and a refresh needs a
// proof for the refresh token.
const { accessToken } = await call('POST', 'refresh', { body: { refreshToken }, proves: refreshToken });
console.log(await call('GET', 'me', { accessToken }));
console.log(await call('POST', 'work', { accessToken }));
await call('POST', 'logout', { accessToken });

/** Sends a request, with a new proof for the token `proves`, if any. Resolves to the answer. */
async function call(method, action, { accessToken, body, proves = accessToken }) {
  const url = new URL(`/program/${action}`, values.url).href;
  const headers = {};
  if (accessToken !== undefined) headers.authorization = `DPoP ${accessToken}`;
  if (proves !== undefined) headers.dpop = createDpopProof(key, { method, url, accessToken: proves });
  if (body !== undefined) headers['content-type'] = 'application/json';
  const answer = await fetch(url, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}
