'use strict';

// Logins behind a throttle, in each framework.

const assert = require('node:assert/strict');
const net = require('node:net');
const { test } = require('node:test');

const { LoginThrottle } = require('@nodesec/native');
const { FRAMEWORKS } = require('../helpers/frameworks.js');
const { until } = require('../helpers/web.js');

for (const [version, service] of Object.entries(FRAMEWORKS)) {
  /** Serves `/login`, which answers with the status that the body names; `outcome` may be told. */
  const logins = async (t, options = {}) => {
    const throttle = new LoginThrottle({ freeFailures: 2, clock: () => new Date(0), jitter: 0, ...options });
    const calls = [];
    for (const name of ['success', 'failure']) {
      const { [name]: method } = LoginThrottle.prototype;
      throttle[name] = function tell(attempt) {
        calls.push(name);
        return method.call(throttle, attempt);
      };
    }
    const account = (request) => request.body.account;
    const { port, send } = await service(t, { login: { throttle, account } });
    const headers = { 'content-type': 'application/json' };
    const login = (body) =>
      send('/login', { method: 'POST', headers, body: JSON.stringify({ account: 'ann', ...body }) });
    return { calls, login, port, throttle };
  };

  test(`${version}: the status of the answer tells the outcome if the handler does not`, async (t) => {
    const { calls, login } = await logins(t, { freeFailures: 50 });
    for (const [status, expected] of [
      [200, ['success']],
      [204, ['success']],
      [401, ['failure']],
      [403, ['failure']],
      [302, []],
      [400, []],
      [500, []],
    ]) {
      calls.length = 0;
      await login({ status });
      await until(() => calls.length >= expected.length);
      assert.deepEqual(calls, expected, `${status}`);
    }
  });

  test(`${version}: the first outcome that the handler tells counts, with any answer`, async (t) => {
    const { calls, login } = await logins(t, { freeFailures: 50 });
    await login({ status: 200, outcomes: ['failure', 'success', 'failure'] });
    await login({ status: 401, outcomes: ['success'] });
    assert.deepEqual(calls, ['failure', 'success']);
  });

  test(`${version}: an attempt that is refused is a 429 with the time, and its handler does not run`, async (t) => {
    const { calls, login } = await logins(t);
    assert.deepEqual([(await login({ status: 401 })).status, (await login({ status: 401 })).status], [401, 401]);
    await until(() => calls.length === 2);
    const refused = await login({ status: 200 });
    assert.deepEqual([refused.status, refused.headers['retry-after']], [429, '60']);
    assert.doesNotMatch(refused.body, /node_modules|lib\//);
    assert.equal((await login({ account: 'bob', status: 200 })).status, 200);
    assert.deepEqual(calls.filter((call) => call === 'success').length <= 1, true);
  });

  test(`${version}: a hundred attempts at once are as many as one after the other`, async (t) => {
    const { login } = await logins(t);
    const answers = await Promise.all(Array.from({ length: 100 }, () => login({ status: 401 })));
    assert.equal(answers.filter(({ status }) => status === 401).length, 2);
  });

  test(`${version}: a request without an account is a 400`, async (t) => {
    const { login } = await logins(t);
    for (const account of [undefined, null, '', 42, ['ann'], '\ud800', 'a'.repeat(1025)]) {
      assert.equal((await login({ account, status: 200 })).status, 400, JSON.stringify(account)?.slice(0, 20));
    }
  });

  test(`${version}: a client that hangs up before the answer has not logged in`, async (t) => {
    const { calls, login, port, throttle } = await logins(t, { freeFailures: 1 });
    const body = JSON.stringify({ account: 'ann' });
    const socket = net.connect(port, '127.0.0.1');
    socket.write(
      `POST /login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await until(() => !throttle.check({ account: 'ann', ip: '127.0.0.1' }).allowed);
    socket.destroy();
    assert.equal((await login({ status: 200 })).status, 429);
    assert.deepEqual(calls, []);
  });
}
