// Declares `req.auth` and `req.login` on every Request of Express: import this module once in a
// program. It is a module of its own because other middleware claims `req.auth`, too.

import type { Authentication, Login } from '../express.js';

declare global {
  namespace Express {
    interface Request {
      /** Set by `authenticate` and `sessionCookies` for a token that is accepted. */
      auth?: Authentication;
      /** Set by `loginThrottle`. */
      login?: Login;
    }
  }
}
