'use strict';

const assert = require('node:assert/strict');
const { X509Certificate, createHash } = require('node:crypto');
const http2 = require('node:http2');
const { test } = require('node:test');

const { JwtIssuer, JwtKey, JwtVerifier, JwtVerifiers, RemoteJwks, RevocationList } = require('@nodesec/native');
const { authenticate, requireScope } = require('@nodesec/native/express');
const { coded } = require('../helpers/outcome.js');
const { EXPRESS, serve, tokens } = require('../helpers/web.js');
const { cases } = require('../vectors/x509-svids.json');

const CERTIFICATE = new X509Certificate(cases.find(({ name }) => name === 'web').cert);
const THUMBPRINT = createHash('sha256').update(CERTIFICATE.raw).digest('base64url');
const SECRETS = /node_modules|\/lib\/|ERR_JWT|expired|signature/i;

for (const [version, express] of Object.entries(EXPRESS)) {
  /** Serves `/` behind the middleware; `/` answers with req.auth. */
  const guarded = (t, ...middleware) => {
    const app = express();
    app.use(...middleware);
    app.get('/', (req, res) => res.json(req.auth ?? null));
    return serve(t, app);
  };

  test(`${version}: a token that is accepted sets req.auth, for HEAD as for GET`, async (t) => {
    const { bearer, verifier } = await tokens();
    const { get, send } = await guarded(t, authenticate({ verifier }));
    const { status, body } = await get('/', bearer());
    const { claims, header, scheme } = JSON.parse(body);
    assert.deepEqual([status, claims.sub, header.kid, scheme], [200, 'ann', 'k1', 'bearer']);
    assert.equal((await send('/', { method: 'HEAD', headers: bearer() })).status, 200);
    assert.equal((await send('/', { method: 'HEAD' })).status, 401);
  });

  test(`${version}: each fault of credentials has its status and its challenge`, async (t) => {
    const { bearer, verifier } = await tokens();
    const { get } = await guarded(t, authenticate({ verifier, realm: 'api' }));
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
    const { get, raw } = await guarded(t, authenticate({ verifier }));
    const { authorization } = bearer();
    const line = `Authorization: ${authorization}\r\n`;
    const answer = await raw(`GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${line}${line}\r\n`);
    assert.match(answer, /^HTTP\/1\.1 400 /);
    assert.equal((await get('/?access_token=x', { authorization })).status, 400);
    assert.equal((await get('/?access_token=x')).status, 401);
    assert.equal((await get('/?my_access_token=x', { authorization })).status, 200);
  });

  test(`${version}: without required, only a request without credentials is let in`, async (t) => {
    const { bearer, verifier } = await tokens();
    const { get } = await guarded(t, authenticate({ verifier, required: false }));
    assert.deepEqual([(await get()).status, (await get()).body], [200, 'null']);
    assert.equal((await get('/', { authorization: 'Bearer x' })).status, 401);
    assert.equal(JSON.parse((await get('/', bearer())).body).claims.sub, 'ann');
  });

  test(`${version}: a cookie is read by its exact name, once, and only where it is asked for`, async (t) => {
    const { bearer, verifier } = await tokens();
    const token = bearer().authorization.slice(7);
    const cookie = `a=b; __Host-at=${token}; c=d`;
    const by = (from, name) => guarded(t, authenticate({ verifier, from, ...(name && { cookie: name }) }));
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
    const { get } = await guarded(t, authenticate({ verifier, scope: ['read', 'write'] }));
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
    const { get } = await guarded(t, authenticate({ verifier }), requireScope('admin', 'read'));
    assert.equal((await get('/', bearer({ scope: 'read admin' }))).status, 200);
    assert.equal((await get('/', bearer({ scope: 'read' }))).status, 403);
    const open = await guarded(t, requireScope('admin'));
    assert.equal((await open.get()).status, 401);
  });

  test(`${version}: an authentication that is too weak or too old is asked for again`, async (t) => {
    const { bearer, verifier } = await tokens();
    const { get } = await guarded(t, authenticate({ verifier, acr: ['gold', 'silver'], maxAuthAge: '5m' }));
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
      { acr: ['gold'], auth_time: now },
    ]) {
      const { status, headers } = await get('/', bearer(claims));
      assert.deepEqual([status, headers['www-authenticate']], [401, challenge], JSON.stringify(claims));
    }
  });

  test(`${version}: a token that is bound to a certificate needs it, and other bindings are refused`, async (t) => {
    const { bearer, verifier } = await tokens();
    const given = {};
    const getCertificate = async () => given.certificate;
    const { get } = await guarded(t, authenticate({ verifier, getCertificate }));
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
    given.certificate = undefined;
    assert.equal((await get('/', bound)).status, 401);
    const without = await guarded(t, authenticate({ verifier }));
    assert.equal((await without.get('/', bound)).status, 401);
  });

  test(`${version}: an error of a callback goes to the error handler of the app`, async (t) => {
    const { bearer, verifier } = await tokens();
    const app = express();
    const failing = async () => {
      throw new RangeError('mine');
    };
    app.use(authenticate({ verifier, getCertificate: failing }));
    app.use((error, req, res, next) => res.status(500).send(`${next.length} ${error.message}`));
    const { get } = await serve(t, app);
    const { status, body } = await get('/', bearer({ cnf: { 'x5t#S256': 'x' } }));
    assert.deepEqual([status, body.slice(-4)], [500, 'mine']);
  });

  test(`${version}: the app's error handler sees the code, the status and the reason`, async (t) => {
    const { bearer, verifier } = await tokens({ clock: () => new Date(Date.now() + 3_600_000) });
    const app = express();
    app.use(authenticate({ verifier }));
    app.use((error, req, res, next) => {
      void next;
      const { code, status, statusCode, cause } = error;
      res.json([code, status, statusCode, cause?.code, Object.keys(error).includes('cause')]);
    });
    const { get } = await serve(t, app);
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
    const { get } = await guarded(t, authenticate({ verifier }));
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
    const { get } = await guarded(t, authenticate({ verifier }));
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
    const { get } = await guarded(t, authenticate({ verifier }));
    const headers = { authorization: `Bearer ${issuer.sign({})}` };
    const answers = await Promise.all([get('/', headers), get('/', headers)]);
    assert.deepEqual(answers.map(({ status }) => status), [200, 200]);
  });

  test(`${version}: a revoked token is a 401`, async (t) => {
    const revocations = new RevocationList();
    const { bearer, verifier } = await tokens({ revocations });
    const { get } = await guarded(t, authenticate({ verifier }));
    const headers = bearer();
    assert.equal((await get('/', headers)).status, 200);
    await revocations.revoke(verifier.verify(headers.authorization.slice(7)));
    assert.equal((await get('/', headers)).status, 401);
  });
}

test('an app of its own below another, and a 404 handler behind it, are guarded', async (t) => {
  const express = EXPRESS['Express 5'];
  const { bearer, verifier } = await tokens();
  const [app, inner] = [express(), express()];
  inner.get('/here', (req, res) => res.send(req.auth.claims.sub));
  app.get('/open', (req, res) => res.send('open'));
  app.use('/inner', authenticate({ verifier }), inner);
  const { get } = await serve(t, app);
  assert.equal((await get('/open')).status, 200);
  assert.equal((await get('/inner/here', bearer())).body, 'ann');
  assert.equal((await get('/inner/nowhere', bearer())).status, 404);
  assert.equal((await get('/inner/nowhere')).status, 401);
});

test('a keep-alive connection is authenticated anew for each request', async (t) => {
  const express = EXPRESS['Express 5'];
  const { bearer, verifier } = await tokens();
  const app = express();
  app.get('/', authenticate({ verifier }), (req, res) => res.send('in'));
  const { raw } = await serve(t, app);
  const line = (headers) => `GET / HTTP/1.1\r\nHost: a\r\n${headers}\r\n`;
  const { authorization } = bearer();
  const answers = await raw(
    line(`Authorization: ${authorization}\r\n`) + line('') + line('Connection: close\r\n'),
  );
  assert.deepEqual(answers.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 200', 'HTTP/1.1 401', 'HTTP/1.1 401']);
});

test('the middleware also serves plain Node over HTTP/2', async (t) => {
  const { bearer, verifier } = await tokens();
  const guard = authenticate({ verifier });
  const server = http2.createServer((req, res) => {
    guard(req, res, (error) => {
      res.writeHead(error?.status ?? 200, error?.headers);
      res.end(req.auth?.claims.sub);
    });
  });
  const { port } = await serve(t, undefined, server);
  const client = http2.connect(`http://127.0.0.1:${port}`);
  t.after(() => client.destroy());
  const ask = (headers) =>
    new Promise((resolve) => {
      const stream = client.request({ ':path': '/', ...headers });
      stream.on('response', (answer) => resolve(answer));
      stream.resume();
    });
  assert.equal((await ask(bearer()))[':status'], 200);
  const refused = await ask({});
  assert.deepEqual([refused[':status'], refused['www-authenticate']], [401, 'Bearer']);
});

test('options that cannot be are refused when the middleware is made', async () => {
  const { verifier } = await tokens();
  const make = (options) => () => authenticate({ verifier, ...options });
  assert.throws(() => authenticate({}), coded('ERR_MISSING_OPTION'));
  assert.throws(() => authenticate(), coded('ERR_MISSING_OPTION'));
  assert.throws(make({ dpop: 'off' }), coded('ERR_UNKNOWN_OPTION'));
  assert.throws(make({ verifier: {} }), coded('ERR_INVALID_ARG_TYPE'));
  assert.throws(make({ from: 'header' }), coded('ERR_INVALID_ARG_VALUE'));
  for (const acr of [[], ['a b'], ['"'], Array(101).fill('a')]) {
    assert.throws(make({ acr }), coded('ERR_INVALID_ARG_VALUE'));
  }
  for (const maxAuthAge of [0, -1, NaN, 1.5, 2 ** 53]) {
    assert.throws(make({ maxAuthAge }), coded('ERR_OUT_OF_RANGE'));
  }
  assert.throws(make({ maxAuthAge: '5 minutes' }), coded('ERR_INVALID_ARG_TYPE'));
  assert.throws(make({ cookie: 'a=b' }), coded('ERR_INVALID_ARG_VALUE'));
  assert.throws(make({ realm: 'a"b' }), coded('ERR_INVALID_ARG_VALUE'));
  assert.throws(() => requireScope(), coded('ERR_INVALID_ARG_VALUE'));
  assert.throws(() => requireScope('a b'), coded('ERR_INVALID_ARG_VALUE'));
});
