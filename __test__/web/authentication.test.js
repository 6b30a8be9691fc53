'use strict';

// Authentication, in each framework.

const assert = require('node:assert/strict');
const { X509Certificate, createHash } = require('node:crypto');
const { test } = require('node:test');

const { JwtIssuer, JwtKey, JwtVerifier, JwtVerifiers, RemoteJwks, RevocationList } = require('@nodesec/native');
const { FRAMEWORKS } = require('../helpers/frameworks.js');
const { tokens } = require('../helpers/web.js');
const { cases } = require('../vectors/x509-svids.json');

const CERTIFICATE = new X509Certificate(cases.find(({ name }) => name === 'web').cert);
const THUMBPRINT = createHash('sha256').update(CERTIFICATE.raw).digest('base64url');
const SECRETS = /node_modules|\/lib\/|ERR_JWT|expired|signature/i;

for (const [version, service] of Object.entries(FRAMEWORKS)) {
  /** Serves `/` behind authentication with these options; `/` answers with the sender. */
  const guarded = (t, auth, parts) => service(t, { auth, ...parts });

  test(`${version}: a token that is accepted names its sender, for HEAD as for GET`, async (t) => {
    const { bearer, verifier } = await tokens();
    const { get, send } = await guarded(t, { verifier });
    const { status, body } = await get('/', bearer());
    const { claims, header, scheme } = JSON.parse(body);
    assert.deepEqual([status, claims.sub, header.kid, scheme], [200, 'ann', 'k1', 'bearer']);
    assert.equal((await send('/', { method: 'HEAD', headers: bearer() })).status, 200);
    assert.equal((await send('/', { method: 'HEAD' })).status, 401);
  });

  test(`${version}: each fault of credentials has its status and its challenge`, async (t) => {
    const { bearer, verifier } = await tokens();
    const { get } = await guarded(t, { verifier, realm: 'api' });
    const { authorization } = bearer();
    const other = (await tokens()).bearer();
    const cases = [
      [{}, 401, 'Bearer realm="api"'],
      [{ authorization: 'Basic YTpi' }, 401, 'Bearer realm="api"'],
      [{ authorization: 'Bearer' }, 400, 'Bearer error="invalid_request"'],
      [{ authorization: `${authorization} x` }, 400, 'Bearer error="invalid_request"'],
      [{ authorization: 'Bearer garbage' }, 401, 'Bearer realm="api", error="invalid_token"'],
      [other, 401, 'Bearer realm="api", error="invalid_token"'],
    ];
    for (const [headers, status, challenge] of cases) {
      const answer = await get('/', headers);
      assert.deepEqual([answer.status, answer.headers['www-authenticate']], [status, challenge]);
      assert.doesNotMatch(answer.body, SECRETS);
    }
  });

  test(`${version}: two headers, and a token in the query as well, are a 400`, async (t) => {
    const { bearer, verifier } = await tokens();
    const { get, raw } = await guarded(t, { verifier });
    const { authorization } = bearer();
    const line = `Authorization: ${authorization}\r\n`;
    const answer = await raw(`GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${line}${line}\r\n`);
    assert.match(answer, /^HTTP\/1\.1 400 /);
    assert.equal((await get('/?access_token=x', { authorization })).status, 400);
    for (const name of ['access%5Ftoken', '%61ccess_token', 'access_token[]', 'a=b&access_token']) {
      assert.equal((await get(`/?${name}=x`, { authorization })).status, 400, name);
    }
    assert.equal((await get('/?access_token=x')).status, 401);
    assert.equal((await get('/?my_access_token=x', { authorization })).status, 200);
  });

  // Fastify authenticates before it parses.
  const onExpress = version.startsWith('Express') ? test : () => {};
  onExpress(`${version}: a token in a form as well is a 400 if the form is parsed by then`, async (t) => {
    const { bearer, verifier } = await tokens();
    const { send } = await guarded(t, { verifier }, { form: true });
    const post = async (body, type = 'application/x-www-form-urlencoded', headers = bearer()) => {
      const init = { method: 'POST', headers: { ...headers, 'content-type': type }, body };
      return (await send('/form', init)).status;
    };
    assert.equal(await post('access_token=x'), 400);
    assert.equal(await post('a=b&access%5Ftoken='), 400);
    assert.equal(await post('access_token=x&access_token=y', 'Application/X-WWW-Form-URLencoded; charset=utf-8'), 400);
    assert.equal(await post('my_access_token=x'), 200);
    assert.equal(await post('{"access_token":"x"}', 'application/json'), 200);
    assert.equal(await post('access_token=x', undefined, {}), 401);
  });

  test(`${version}: without required, only a request without credentials is let in`, async (t) => {
    const { bearer, verifier } = await tokens();
    const { get } = await guarded(t, { verifier, required: false });
    assert.deepEqual([(await get()).status, (await get()).body], [200, 'null']);
    assert.equal((await get('/', { authorization: 'Bearer x' })).status, 401);
    assert.equal(JSON.parse((await get('/', bearer())).body).claims.sub, 'ann');
  });

  test(`${version}: a cookie is read by its exact name, once, and only where it is asked for`, async (t) => {
    const { bearer, verifier } = await tokens();
    const token = bearer().authorization.slice(7);
    const cookie = `a=b; __Host-at=${token}; c=d`;
    const by = (from, name) => guarded(t, { verifier, from, ...(name && { cookie: name }) });
    const [header, onlyCookie, both, named] = [await by('bearer'), await by('cookie'), await by('both'), await by('cookie', 'at')];
    assert.equal((await header.get('/', { cookie })).status, 401);
    assert.equal(JSON.parse((await onlyCookie.get('/', { cookie })).body).scheme, 'cookie');
    assert.equal((await onlyCookie.get('/', bearer())).status, 401);
    assert.equal((await both.get('/', { cookie })).status, 200);
    assert.equal((await both.get('/', bearer())).status, 200);
    assert.equal((await both.get('/', { cookie, ...bearer() })).status, 400);
    assert.equal((await onlyCookie.get('/', { cookie: `${cookie}; __Host-at=x` })).status, 400);
    assert.equal((await onlyCookie.get('/', { cookie: `x__Host-at=${token}` })).status, 401);
    assert.equal((await named.get('/', { cookie: `at=${token}` })).status, 200);
    assert.equal((await named.get('/', { cookie })).status, 401);
    assert.equal((await onlyCookie.get('/', { cookie: '__Host-at=' })).status, 401);
  });

  test(`${version}: a token needs each of the scopes, however its issuer writes them`, async (t) => {
    const { bearer, verifier } = await tokens();
    const { get } = await guarded(t, { verifier, scope: ['read', 'write'] });
    for (const claims of [{ scope: 'write x read' }, { scope: ['read', 'write'] }, { scp: 'read write' }]) {
      assert.equal((await get('/', bearer(claims))).status, 200, JSON.stringify(claims));
    }
    const lacking = [{}, { scope: 'read' }, { scope: 'readwrite' }, { scope: 42 }, { scope: { read: 1 } }, { scope: '', scp: 'read write' }];
    for (const claims of lacking) {
      const { status, headers } = await get('/', bearer(claims));
      const challenge = 'Bearer error="insufficient_scope", scope="read write"';
      assert.deepEqual([status, headers['www-authenticate']], [403, challenge], JSON.stringify(claims));
    }
  });

  test(`${version}: requireScope is 403 for a lacking scope, and 401 where nobody is authenticated`, async (t) => {
    const { bearer, verifier } = await tokens();
    const { get } = await guarded(t, { verifier }, { scopes: ['admin', 'read'] });
    assert.equal((await get('/', bearer({ scope: 'read admin' }))).status, 200);
    assert.equal((await get('/', bearer({ scope: 'read' }))).status, 403);
    const open = await guarded(t, undefined, { scopes: ['admin'] });
    assert.equal((await open.get()).status, 401);
  });

  test(`${version}: an authentication that is too weak or too old is asked for again`, async (t) => {
    const { bearer, verifier } = await tokens();
    const { get } = await guarded(t, { verifier, acr: ['gold', 'silver'], maxAuthAge: '5m' });
    const now = Math.floor(Date.now() / 1000);
    assert.equal((await get('/', bearer({ acr: 'silver', auth_time: now - 200 }))).status, 200);
    const challenge =
      'Bearer error="insufficient_user_authentication", acr_values="gold silver", max_age="300"';
    for (const claims of [
      { acr: 'bronze', auth_time: now },
      { auth_time: now },
      { acr: 'gold' },
      { acr: 'gold', auth_time: now - 400 },
      { acr: 'gold', auth_time: 'now' },
      { acr: 'gold', auth_time: `${now}` },
      { acr: 'gold', auth_time: [now] },
      { acr: 'gold', auth_time: Date.now() },
      { acr: 'gold', auth_time: now + 3600 },
      { acr: ['gold'], auth_time: now },
    ]) {
      const { status, headers } = await get('/', bearer(claims));
      assert.deepEqual([status, headers['www-authenticate']], [401, challenge], JSON.stringify(claims));
    }
  });

  test(`${version}: the age of an authentication is that of the clock of the verifier`, async (t) => {
    const hours = (count) => count * 3_600_000;
    const time = { ms: Date.now() - hours(5) };
    const clock = () => new Date(time.ms);
    const ours = await tokens();
    const issuer = new JwtIssuer({ ...ours.names, expiresIn: '5m', clock });
    const verifier = new JwtVerifier({ ...ours.names, clock });
    const theirs = await JwtKey.generate('HS256');
    const several = new JwtVerifiers({
      [ours.names.issuer]: verifier,
      'https://id2.example': new JwtVerifier({ keys: theirs, issuer: 'https://id2.example', audience: 'api' }),
    });
    for (const each of [verifier, several]) {
      const { get } = await guarded(t, { verifier: each, maxAuthAge: '5m' });
      const status = async (seconds) => {
        const claims = { sub: 'ann', auth_time: Math.floor(time.ms / 1000) - seconds };
        return (await get('/', { authorization: `Bearer ${issuer.sign(claims)}` })).status;
      };
      for (const step of [0, 1, 9]) {
        time.ms += hours(step);
        assert.deepEqual([await status(200), await status(400), await status(-200)], [200, 401, 401], `${step}`);
      }
    }
    const { get } = await guarded(t, { verifier: several, maxAuthAge: '5m' });
    const system = new JwtIssuer({ keys: theirs, issuer: 'https://id2.example', audience: 'api', expiresIn: '5m' });
    const since = (seconds) => {
      const token = system.sign({ sub: 'ann', auth_time: Math.floor(Date.now() / 1000) - seconds });
      return get('/', { authorization: `Bearer ${token}` });
    };
    assert.deepEqual([(await since(200)).status, (await since(400)).status], [200, 401]);
  });

  test(`${version}: a token that is bound to a certificate needs it, and other bindings are refused`, async (t) => {
    const { bearer, verifier } = await tokens();
    const given = {};
    const getCertificate = async () => given.certificate;
    const { get } = await guarded(t, { verifier, getCertificate });
    const bound = bearer({ cnf: { 'x5t#S256': THUMBPRINT } });
    for (const certificate of [CERTIFICATE, CERTIFICATE.raw, CERTIFICATE.toString()]) {
      given.certificate = certificate;
      assert.equal((await get('/', bound)).status, 200);
      assert.equal((await get('/', bearer({ cnf: { 'x5t#S256': 'x' } }))).status, 401);
      assert.equal((await get('/', bearer({ cnf: { jkt: 'x' } }))).status, 401);
      assert.equal((await get('/', bearer({ cnf: { 'x5t#S256': THUMBPRINT, jkt: 'x' } }))).status, 401);
      assert.equal((await get('/', bearer({ cnf: null }))).status, 401);
      assert.equal((await get('/', bearer())).status, 200);
    }
    const bytes = CERTIFICATE.raw;
    for (const certificate of [undefined, '', 'garbage', encodeURIComponent(CERTIFICATE.toString()), bytes.subarray(1), 42]) {
      given.certificate = certificate;
      assert.equal((await get('/', bound)).status, 401);
    }
    const without = await guarded(t, { verifier });
    assert.equal((await without.get('/', bound)).status, 401);
  });

  test(`${version}: an error of a callback goes to the error handler of the app`, async (t) => {
    const { bearer, verifier } = await tokens();
    const getCertificate = async () => {
      throw new RangeError('mine');
    };
    const onError = ({ message }) => [message];
    const { get } = await guarded(t, { verifier, getCertificate }, { onError });
    const { status, body } = await get('/', bearer({ cnf: { 'x5t#S256': 'x' } }));
    assert.deepEqual([status, body], [500, '["mine"]']);
  });

  test(`${version}: the app's error handler sees the code, the status and the reason`, async (t) => {
    const { bearer, verifier } = await tokens({ clock: () => new Date(Date.now() + 3_600_000) });
    const onError = (error) => {
      const { code, status, statusCode, cause } = error;
      return [code, status, statusCode, cause?.code, Object.keys(error).includes('cause')];
    };
    const { get } = await guarded(t, { verifier }, { onError });
    const seen = await get('/', bearer());
    assert.deepEqual(JSON.parse(seen.body), ['ERR_WEB_UNAUTHENTICATED', 401, 401, 'ERR_JWT_EXPIRED', false]);
  });

  test(`${version}: several issuers are told apart by their exact name`, async (t) => {
    const [ours, theirs] = [await tokens(), await tokens()];
    const issuer = 'https://partner.example';
    const partner = { keys: theirs.keys, issuer, audience: 'api' };
    const verifier = new JwtVerifiers({
      'https://id.example': ours.verifier,
      [issuer]: new JwtVerifier(partner),
    });
    const { get } = await guarded(t, { verifier });
    const signed = new JwtIssuer({ ...partner, expiresIn: 60 }).sign({});
    assert.equal((await get('/', { authorization: `Bearer ${signed}` })).status, 200);
    assert.equal((await get('/', ours.bearer())).status, 200);
    assert.equal((await get('/', theirs.bearer())).status, 401);
  });

  test(`${version}: a RemoteJwks is waited for, and its failure is a 503 and never a 401`, async (t) => {
    const { issuer, keys, names } = await tokens({}, 'ES256');
    const state = { fails: true, set: { keys: [keys.toPublicJwk()] } };
    const remote = new RemoteJwks('https://keys.example/', {
      cooldown: 1,
      fetch: async () => {
        if (state.fails) throw new Error('no network');
        return Response.json(state.set);
      },
    });
    const verifier = new JwtVerifier({ ...names, keys: remote });
    const { get } = await guarded(t, { verifier });
    const headers = { authorization: `Bearer ${issuer.sign({})}` };
    const cold = await get('/', headers);
    assert.deepEqual([cold.status, cold.headers['retry-after']], [503, '5']);
    assert.equal(cold.headers['www-authenticate'], undefined);
    state.fails = false;
    await remote.refresh();
    assert.equal((await get('/', headers)).status, 200);

    // A key that is not found may be new if the last request failed.
    const next = await JwtKey.generate('ES256', { kid: 'k2' });
    const rotated = new JwtIssuer({ ...names, keys: next, expiresIn: 60 }).sign({});
    assert.equal((await get('/', { authorization: `Bearer ${rotated}` })).status, 401);
    state.fails = true;
    await assert.rejects(remote.refresh());
    assert.equal((await get('/', { authorization: `Bearer ${rotated}` })).status, 503);
    assert.equal((await get('/', headers)).status, 200);
  });

  test(`${version}: a cold RemoteJwks answers the first request as soon as it has its keys`, async (t) => {
    const { issuer, keys, names } = await tokens({}, 'ES256');
    const fetch = async () => Response.json({ keys: [keys.toPublicJwk()] });
    const verifier = new JwtVerifier({ ...names, keys: new RemoteJwks('https://keys.example/', { fetch }) });
    const { get } = await guarded(t, { verifier });
    const headers = { authorization: `Bearer ${issuer.sign({})}` };
    const answers = await Promise.all([get('/', headers), get('/', headers)]);
    assert.deepEqual(answers.map(({ status }) => status), [200, 200]);
  });

  test(`${version}: a revoked token is a 401`, async (t) => {
    const revocations = new RevocationList();
    const { bearer, verifier } = await tokens({ revocations });
    const { get } = await guarded(t, { verifier });
    const headers = bearer();
    assert.equal((await get('/', headers)).status, 200);
    await revocations.revoke(verifier.verify(headers.authorization.slice(7)));
    assert.equal((await get('/', headers)).status, 401);
  });
}

