// The steps of visits to the services of examples/: requests, and checks of their answers.

/** Makes a request and checks its answer. Resolves to the answer and a line that tells of it. */
export async function step(url, title, request, { status = 200, tell = () => '' }) {
  const asked = `${request.method} ${request.path}`;
  const started = performance.now();
  const response = await fetch(url + request.path, request).catch((cause) => {
    throw new Error(`${title}: ${asked} was not answered`, { cause });
  });
  const text = await response.text();
  const ms = performance.now() - started;
  try {
    equal(response.status, status);
    const answer = { body: text && JSON.parse(text), headers: response.headers };
    const columns = [title.padEnd(26), asked.padEnd(26), `${status} ${tell(answer)}`.padEnd(38)];
    return { answer, line: `  ${columns.join(' ')} ${ms.toFixed(1).padStart(6)} ms` };
  } catch (error) {
    throw new Error(`${title}: ${asked} was answered ${response.status} ${text}: ${error.message}`);
  }
}

export function get(path, token) {
  return { method: 'GET', path, headers: bearer(token) };
}

export function post(path, body, token) {
  const type = body === undefined ? {} : { 'Content-Type': 'application/json' };
  const headers = { ...type, ...bearer(token) };
  return { method: 'POST', path, headers, body: JSON.stringify(body) };
}

function bearer(token) {
  return token === undefined ? {} : { Authorization: `Bearer ${token}` };
}

export function refused(status, error) {
  return { status, tell: ({ body }) => equal(body.error, error) };
}

export function rotated(status = 'rotated', successor) {
  return {
    tell: ({ body }) => {
      if (successor !== undefined) equal(body.refreshToken, successor);
      return `${equal(body.status, status)}, refresh …${body.refreshToken.slice(-6)}`;
    },
  };
}

export function tokens({ body }) {
  const token = matching(body.accessToken, /^[\w-]+\.[\w-]+\.[\w-]+$/);
  return `access ${short(token)}, refresh …${body.refreshToken.slice(-6)}`;
}

export function short(text) {
  return `${text.slice(0, 8)}…`;
}

export function equal(actual, expected) {
  if (actual !== expected) throw new Error(`expected ${expected}, got ${actual}`);
  return actual;
}

export function matching(text, pattern) {
  const found = pattern.exec(text);
  if (found === null) throw new Error(`expected ${pattern}, got ${text}`);
  return found[0];
}
