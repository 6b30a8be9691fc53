'use strict';

// For the demonstration only: a thief who has copied the first refresh token of a session. No
// script can read that cookie, so the copy is in a cookie of its own, which only `/auth/replay`
// gets. A service has nothing of this.

const COOKIE = '__Secure-copy';
const ATTRIBUTES = 'Path=/auth/replay; HttpOnly; Secure; SameSite=Strict';

/** The value of `Set-Cookie` that gives the thief a copy. */
function copyOf({ refreshToken }) {
  return `${COOKIE}=${refreshToken}; Max-Age=3600; ${ATTRIBUTES}`;
}

/** The thief presents the copy. Resolves to the status of the session's answer. */
async function replay(sessions, { headers }) {
  const pairs = (headers.cookie ?? '').split('; ').map((pair) => pair.split('='));
  const [, copy = 'none'] = pairs.find(([name]) => name === COOKIE) ?? [];
  const { status } = await sessions.refresh(copy);
  return status;
}

module.exports = { copyOf, replay };
