// Makes one scripted visit to the auth service over HTTP. Each step is checked and told.

import { equal, get, matching, post, refused, rotated, short, step, tokens } from './steps.mjs';

const ADA = { username: 'ada', password: 'correct horse battery' };
const WRONG = { ...ADA, password: 'incorrect horse battery' };
const NOBODY = { ...ADA, username: 'nobody' };

/**
 * Makes the visit. Throws at the first unexpected answer. `crash` kills the service, starts it
 * again and resolves to its URL. `print` gets the lines.
 */
export async function visit(firstUrl, crash, print = console.log) {
  let url = firstUrl;
  const heading = (text) => print(`\n${text}`);
  const ask = async (title, request, expected) => {
    const { answer, line } = await step(url, title, request, expected);
    print(line);
    return answer;
  };
  const login = async (title) => {
    const { body } = await ask(title, post('/login', ADA), { tell: tokens });
    return body;
  };
  const me = (title, { accessToken: token }, expected) => ask(title, get('/me', token), expected);
  const refresh = (title, token, expected) =>
    ask(title, post('/refresh', { refreshToken: token }), expected);

  heading('An account');
  const registered = { status: 201, tell: ({ body }) => `user ${short(body.id)}` };
  await ask('register', post('/register', ADA), registered);
  await ask('the same name again', post('/register', ADA), refused(409, 'username_taken'));
  await ask('a wrong password', post('/login', WRONG), refused(401, 'invalid_credentials'));
  await ask('an unknown user', post('/login', NOBODY), refused(401, 'invalid_credentials'));
  const first = await login('login');
  await me('who am I', first, { tell: ({ body }) => equal(body.username, ADA.username) });

  heading('Rotation: each refresh token is good for one successor');
  const { body: second } = await refresh('refresh', first.refreshToken, rotated());
  const again = rotated('replayed', second.refreshToken);
  await refresh('the same token again', first.refreshToken, again);
  const { body: third } = await refresh('its successor', second.refreshToken, rotated());
  const reused = refused(401, 'refresh_token_reused');
  await refresh('the first token, used up', first.refreshToken, reused);
  const unknown = refused(401, 'refresh_token_unknown');
  await refresh('the session is over', third.refreshToken, unknown);
  await me('for its access tokens, too', third, refused(401, 'invalid_token'));

  heading('Logout');
  const session = await login('login');
  await ask('logout', post('/logout', undefined, session.accessToken), { status: 204 });
  await me('who am I', session, refused(401, 'invalid_token'));
  const laptop = await login('login on a laptop');
  const phone = await login('login on a phone');
  const everywhere = post('/logout-everywhere', undefined, laptop.accessToken);
  await ask('logout everywhere', everywhere, { status: 204 });
  await me('the laptop', laptop, refused(401, 'invalid_token'));
  await me('the phone', phone, refused(401, 'invalid_token'));

  heading('A crash: a login survives it, and so does a logout');
  const kept = await login('login on a laptop');
  const stolen = await login('login on a phone');
  await me('the phone', stolen, { tell: ({ body }) => equal(body.username, ADA.username) });
  await ask('logout of the phone', post('/logout', undefined, stolen.accessToken), { status: 204 });
  url = await crash();
  print('  SIGKILL, and a new start');
  await me('the phone', stolen, refused(401, 'invalid_token'));
  await refresh('its refresh token', stolen.refreshToken, unknown);
  await me('the laptop', kept, { tell: ({ body }) => equal(body.username, ADA.username) });
  const { body: next } = await refresh('its session goes on', kept.refreshToken, rotated());
  await me('and is not logged out', next, { tell: ({ body }) => equal(body.username, ADA.username) });

  heading('Limits: five guesses, then one every three minutes');
  for (let guess = 1; guess <= 5; guess += 1) {
    await ask(`guess ${guess}`, post('/login', WRONG), refused(401, 'invalid_credentials'));
  }
  const limited = ({ body, headers }) => {
    const seconds = matching(headers.get('retry-after'), /^[1-9]\d*$/);
    return `${equal(body.error, 'rate_limited')}, retry after ${seconds} s`;
  };
  await ask('now even the right password', post('/login', ADA), { status: 429, tell: limited });

  heading('Public keys, for services that verify tokens themselves');
  const jwks = get('/.well-known/jwks.json');
  const published = ({ body, headers }) =>
    `${equal(body.keys.length, 2)} keys, ${matching(headers.get('cache-control'), /max-age=\d+/)}`;
  const { headers } = await ask('one signs, one is next', jwks, { tell: published });
  jwks.headers['If-None-Match'] = headers.get('etag');
  await ask('has it changed?', jwks, { status: 304 });
}
