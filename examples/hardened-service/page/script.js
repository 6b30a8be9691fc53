'use strict';

// The page: it never sees a token. It knows from the answers how long the access token lives.

/* global BroadcastChannel, document, navigator, requestAnimationFrame */

const at = (id) => document.getElementById(id);

/** The part of the access token's life after which the page refreshes it. */
const REFRESH_AT = 0.75;
const TRAIL_MS = 1_000;
const CLOCK = new Intl.DateTimeFormat([], { timeStyle: 'medium', hourCycle: 'h23' });

/** The session as the page knows it, undefined without one. */
let session;
/** The user whose records are shown, and the id of the last one. */
let shown = {};
/** Other tabs of this browser share the cookies. */
const tabs = new BroadcastChannel('session');

// ── Requests ────────────────────────────────────────────────────────────────────────────────

/** Sends a request; resolves to its status, its body and the seconds of `Retry-After`. */
async function send(method, path, body) {
  const headers = body === undefined ? {} : { 'Content-Type': 'application/json' };
  const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  return {
    status: answer.status,
    body: text === '' ? {} : JSON.parse(text),
    retryAfter: answer.headers.get('Retry-After'),
  };
}

/**
 * Makes a request that sets or removes cookies, one at a time in all tabs. Otherwise a refresh that
 * is refused could remove the cookies of a login that has overtaken it.
 */
const exclusively = (fn) => navigator.locks.request('session', fn);

/** As `send`, for requests with a session: a token that has expired is refreshed, once. */
async function api(method, path, run = (fn) => fn()) {
  const answer = await run(() => send(method, path));
  if (answer.status !== 401) return answer;
  if (!(await refresh(session?.expiresAt))) return answer;
  return run(() => send(method, path));
}

/**
 * Refreshes the access token; resolves to false if the session has ended. If another tab has done
 * so since the token that expires at `known`, its token is good for this one, too.
 */
function refresh(known) {
  return exclusively(async () => {
    const me = await send('GET', '/api/me');
    if (me.status === 200 && me.body.expiresAt !== known) return adopt(me.body);
    const { status, body } = await send('POST', '/auth/refresh');
    if (status === 401) return false;
    // The cookies are still there: the next attempt may go well.
    if (status !== 200) throw new Error(`the service answers ${status}`);
    if (session !== undefined) session.refreshes += 1;
    const now = await send('GET', '/api/me');
    if (now.status === 200) return adopt(now.body);
    return adopt({ username: session?.username, expiresAt: Date.now() + body.expiresIn * 1000 });
  });
}

function adopt({ username, expiresAt }) {
  session ??= { refreshes: 0 };
  Object.assign(session, { username, expiresAt, lifetime: expiresAt - Date.now() });
  return true;
}

// ── The display ──────────────────────────────────────────────────────────────────────────────

const SENTENCES = {
  invalid_credentials: 'This name and password belong to no account.',
  rate_limited: 'That was too often.',
  refresh_token_reused: 'The old token was refused, and the session has ended for everyone who holds it.',
  username_taken: 'This name is taken.',
};

function tell(kind, text) {
  const status = at('status');
  status.dataset.kind = kind;
  status.textContent = text;
}

function tellRefusal({ status, body, retryAfter }) {
  const sentence = SENTENCES[body.error] ?? body.message ?? body.title ?? `The service answers ${status}.`;
  const wait = retryAfter === null ? '' : ` Try again in ${retryAfter} s.`;
  tell('denied', `${capitalized(sentence)}${wait}`);
}

const capitalized = (text) => text.charAt(0).toUpperCase() + text.slice(1);

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}

/** Shows the part of the page for somebody who is logged in, or for nobody. */
function show() {
  const isIn = session !== undefined;
  const hadFocus = document.activeElement?.closest('#signed-in, #signed-out') !== null;
  const isChanged = at('signed-in').hidden === isIn;
  at('signed-in').hidden = !isIn;
  at('signed-out').hidden = isIn;
  if (isChanged) at('password').value = '';
  if (isIn) at('name').textContent = session.username;
  // The focus would be lost with the part that is hidden.
  if (isChanged && hadFocus) at(isIn ? 'signed-in-heading' : 'username').focus();
}

function showLife() {
  if (session === undefined) return;
  const left = Math.max(session.expiresAt - Date.now(), 0);
  at('life').value = left / session.lifetime;
  at('seconds').textContent = Math.ceil(left / 1000);
  at('refreshes').textContent = session.refreshes;
}

async function showSessions() {
  const { status, body } = await api('GET', '/api/sessions');
  if (status !== 200) return;
  const items = body.map(({ isThis, startedAt }) => {
    const since = CLOCK.format(new Date(startedAt));
    return element('li', '', isThis ? `this browser, since ${since}` : `another one, since ${since}`);
  });
  at('sessions').replaceChildren(...items);
}

let isReading = false;

/** Adds the records since the last one, newest first. */
async function showTrail() {
  if (session === undefined || isReading) return;
  isReading = true;
  try {
    const owner = shown;
    const query = owner.last === undefined ? '' : `?since=${owner.last}`;
    const { status, body } = await api('GET', `/api/trail${query}`);
    // Meanwhile somebody else may have logged in.
    if (status === 200 && owner === shown) await add(body);
  } finally {
    isReading = false;
  }
}

async function add(records) {
  if (records.length > 0) shown.last = records.at(-1).id;
  at('trail').prepend(...records.map(itemOf).reverse());
  at('trail-empty').hidden = at('trail').childElementCount > 0;
  if (records.some(({ event }) => /^session\.(started|ended)$/.test(event))) await showSessions();
}

/** The events that most users see, in their words. */
const MEANINGS = {
  'account.logged-out-everywhere': 'You logged out everywhere',
  'account.registered': 'Your account was made',
  'request.refused': 'A request was refused',
  'session.ended': 'A session ended',
  'session.refreshed': 'The tokens were refreshed',
  'session.reused': 'A used refresh token came again',
  'session.started': 'A session started',
  'token.refused': 'An access token was refused',
  'work.done': 'A request was served',
  'work.refused': 'A request was too many',
};

function itemOf({ event, action = event, outcome, time, correlationId, code }) {
  const item = document.createElement('li');
  item.dataset.event = action;
  const when = element('time', '', CLOCK.format(time));
  when.dateTime = new Date(time).toISOString();
  const more = [action, code, correlationId && `request ${correlationId}`];
  item.append(
    when,
    element('span', 'event', MEANINGS[action] ?? action),
    element('span', `badge ${outcome}`, outcome),
    element('span', 'more', more.filter(Boolean).join(' · ')),
  );
  return item;
}

// ── The actions ──────────────────────────────────────────────────────────────────────────────

/** Has a button do something, once at a time. */
function onClick(id, action) {
  const button = at(id);
  button.addEventListener('click', () => once(button, action));
}

async function once(button, action) {
  if (button.ariaBusy === 'true') return;
  button.ariaBusy = 'true';
  try {
    await action();
  } catch {
    tell('denied', 'The service cannot be reached.');
  } finally {
    button.ariaBusy = 'false';
  }
}

/** Shows the session that the cookies have, if they have one. */
async function resume() {
  const { status, body } = await send('GET', '/api/me');
  const isIn = status === 200 ? adopt(body) : await refresh();
  if (!isIn) {
    ended();
    return;
  }
  if (shown.username !== session.username) {
    shown = { username: session.username };
    at('trail').replaceChildren();
  }
  show();
  await showSessions();
  await showTrail();
}

function ended() {
  session = undefined;
  show();
}

const credentials = () => ({ username: at('username').value, password: at('password').value });

const LOGGED_IN = 'You are logged in. Your tokens are in cookies that this page cannot read.';

async function logIn(sentence) {
  const answer = await exclusively(() => send('POST', '/api/login', credentials()));
  if (answer.status !== 200) return tellRefusal(answer);
  session = undefined;
  await resume();
  tell('ok', sentence);
  tabs.postMessage('changed');
}

at('credentials').addEventListener('submit', (event) => {
  event.preventDefault();
  once(at('login'), () => logIn(LOGGED_IN));
});

onClick('register', async () => {
  const answer = await send('POST', '/api/register', credentials());
  if (answer.status !== 201) return tellRefusal(answer);
  await logIn('Your account exists, and you are logged in.');
});

onClick('refresh', async () => {
  if (await refresh(session.expiresAt)) tell('ok', 'There is a new access token, and a new refresh token.');
  else leave('Your session has ended.');
  await showTrail();
});

onClick('logout', async () => {
  const answer = await exclusively(() => send('POST', '/auth/logout'));
  if (answer.status !== 204) return tellRefusal(answer);
  leave('You are logged out.', 'ok');
});

onClick('logout-everywhere', async () => {
  const answer = await api('POST', '/api/logout-everywhere', exclusively);
  if (answer.status === 401) return leave('Your session has ended.');
  if (answer.status !== 204) return tellRefusal(answer);
  leave('All your sessions have ended, in every browser.', 'ok');
});

onClick('replay', async () => {
  // A refresh token is used up when its successor has been used.
  for (let used = session.refreshes; used < 2; used += 1) {
    if (!(await refresh(session.expiresAt))) return leave('Your session has ended.');
  }
  const answer = await exclusively(() => send('POST', '/auth/replay'));
  if (answer.body.error !== 'refresh_token_reused') return tellRefusal(answer);
  leave(`${SENTENCES.refresh_token_reused} Log in again to see the record.`);
});

onClick('flood', async () => {
  const answers = await Promise.all(Array.from({ length: 15 }, () => send('POST', '/api/work')));
  const served = answers.filter(({ status }) => status === 200);
  const refused = answers.findLast(({ status }) => status !== 200);
  const rest = `${served.length} of ${answers.length} requests were served`;
  if (refused === undefined) tell('ok', `${rest}.`);
  else if (refused.status !== 429) tellRefusal(refused);
  else tell('denied', `${rest}, the others were too many. Try again in ${refused.retryAfter} s.`);
  await showTrail();
});

function leave(text, kind = 'denied') {
  ended();
  tell(kind, text);
  tabs.postMessage('changed');
}

tabs.addEventListener('message', () => {
  session = undefined;
  resume().catch(() => {});
});

// ── By itself ───────────────────────────────────────────────────────────────────────────────

async function keepFresh() {
  if (session === undefined) return;
  const left = session.expiresAt - Date.now();
  if (left > session.lifetime * (1 - REFRESH_AT)) return;
  if (await refresh(session.expiresAt)) return;
  if (session !== undefined) leave('Your session has ended.');
}

/** Calls a function again and again, each time after the last call has ended. */
function repeat(ms, action) {
  setTimeout(async () => {
    // Without an answer, the next attempt comes as usual.
    await action().catch(() => {});
    repeat(ms, action);
  }, ms);
}

function draw() {
  showLife();
  requestAnimationFrame(draw);
}

repeat(250, keepFresh);
repeat(TRAIL_MS, showTrail);
draw();
resume().catch(() => tell('denied', 'The service cannot be reached.'));
