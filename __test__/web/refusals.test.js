'use strict';

// The audit trail of requests that are refused, in each framework: one record, which names the kind
// and holds nothing of the request's credentials.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { hashId } = require('@nodesec/native/audit');
const { FRAMEWORKS } = require('../helpers/frameworks.js');
const { heard } = require('../helpers/heard.js');
const { tokens } = require('../helpers/web.js');

for (const [version, service] of Object.entries(FRAMEWORKS)) {
  test(`${version}: each refusal of credentials has its status and one record of its kind`, async (t) => {
    const { issuer, verifier } = await tokens();
    const sign = (claims) => issuer.sign({ sub: 'ann', sid: 'the-session', ...claims });
    const good = sign({ scope: 'read', acr: 'gold', auth_time: Math.floor(Date.now() / 1000) });
    const undated = sign({ acr: 'gold' });
    const bound = sign({ cnf: { 'x5t#S256': 'a'.repeat(43) } });
    const at = '__Host-at';
    const plain = { auth: { verifier, from: 'both' } };
    const bearer = (token) => ({ authorization: `Bearer ${token}` });
    const cases = [
      [plain, {}, '/', 401, undefined],
      [plain, bearer(good), '/', 200, undefined],
      [plain, { authorization: 'Bearer' }, '/', 400, 'credentials-malformed'],
      [plain, { authorization: `Bearer ${good} ${good}` }, '/', 400, 'credentials-malformed'],
      [plain, ['Authorization', `Bearer ${good}`, 'authorization', `Bearer ${good}`], '/', 400, 'credentials-repeated'],
      [plain, { ...bearer(good), cookie: `${at}=${good}` }, '/', 400, 'credentials-repeated'],
      [plain, bearer(good), `/?access_token=${good}`, 400, 'credentials-repeated'],
      [plain, { cookie: `${at}=${good}; ${at}=${bound}` }, '/', 400, 'cookie-repeated'],
      [{ auth: { verifier, scope: 'admin' } }, bearer(good), '/', 403, 'scope-unmet', good],
      [{ auth: { verifier }, scopes: ['admin'] }, bearer(good), '/', 403, 'scope-unmet', good],
      [{ auth: { verifier, acr: ['platinum'] } }, bearer(good), '/', 401, 'login-unmet', good],
      [{ auth: { verifier, maxAuthAge: '5m' } }, bearer(undated), '/', 401, 'login-unmet', undated],
      [{ auth: { verifier, getCertificate: () => undefined } }, bearer(bound), '/', 401, 'token-bound', bound],
    ];
    for (const [parts, headers, path, status, kind, token] of cases) {
      const { send } = await service(t, parts);
      let answer;
      const events = await heard(async () => {
        answer = await send(path, { headers: Array.isArray(headers) ? headers.concat('Host', 'a') : headers });
      });
      const about = `${kind} ${JSON.stringify(headers).slice(0, 60)}`;
      assert.equal(answer.status, status, about);
      assert.deepEqual(
        events.map((each) => [each.event, each.outcome, each.kind]),
        kind === undefined ? [] : [['request.refused', 'denied', kind]],
        about,
      );
      if (kind === undefined) continue;
      const [{ subject, session, tokenId }] = events;
      const ids =
        token === undefined
          ? [undefined, undefined, undefined]
          : [hashId('subject', 'ann'), hashId('session', 'the-session'), hashId('tokenId', verifier.verify(token).jti)];
      assert.deepEqual([subject, session, tokenId], ids, about);
      for (const bare of [good, bound, 'the-session', '"ann"']) assert.ok(!JSON.stringify(events).includes(bare), about);
    }
  });

  test(`${version}: a refused token has its own record and no second one`, async (t) => {
    const { bearer, verifier } = await tokens();
    const { get } = await service(t, { auth: { verifier } });
    const { authorization } = bearer();
    const events = await heard(() => get('/', { authorization: `${authorization.slice(0, -4)}AAAA` }));
    assert.deepEqual(events.map(({ event, code }) => [event, code]), [['token.refused', 'ERR_JWT_SIGNATURE']]);
  });
}
