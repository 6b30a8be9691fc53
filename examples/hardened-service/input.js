'use strict';

// Checks the input of requests with zod. Unknown members are refused, so that nobody sends a field
// in the hope that some code reads it.

const { JwtKey } = require('@nodesec/native');
const { z } = require('zod');

const { HttpError } = require('../auth-service/errors.js');

/** The longest body in bytes. */
const MAX_BODY = 4096;

/** Lone surrogates are refused: different ones would hash the same. */
const text = z.string().refine((value) => value.isWellFormed(), 'must be well-formed text');

const username = text
  .toLowerCase()
  // ASCII only, so that two names that look alike are the same name.
  .regex(/^[a-z0-9][a-z0-9._-]{2,31}$/, 'must be 3 to 32 letters, digits, dots, dashes or underscores');

const password = text
  .max(256, 'must be at most 256 characters')
  // Gives one form to characters that keyboards compose differently (NIST SP 800-63B).
  .normalize('NFKC');

const credentials = z.strictObject({ username, password });
const newCredentials = z.strictObject({
  username,
  password: password.min(10, 'must be at least 10 characters'),
});

/**
 * The public key of a program, as a JWK. Becomes its thumbprint (RFC 7638), to which the tokens of
 * the program are bound. The schema refuses a private member as an unknown one.
 */
const key = z
  .strictObject({
    kty: z.enum(['EC', 'OKP']),
    crv: z.enum(['P-256', 'Ed25519']),
    x: z.string().max(100),
    y: z.string().max(100).optional(),
    alg: z.enum(['ES256', 'EdDSA']).optional(),
    kid: z.string().max(256).optional(),
    use: z.literal('sig').optional(),
  })
  .transform((jwk, { addIssue }) => {
    try {
      // The program may choose any `kid`; without one it is the thumbprint.
      return JwtKey.fromJwk({ ...jwk, kid: undefined }).kid;
    } catch {
      addIssue({ code: 'custom', message: 'must be a public key for ES256 or EdDSA' });
      return z.NEVER;
    }
  });

const programLogin = z.strictObject({ username, password, key });
const programRefresh = z.strictObject({ refreshToken: text.max(1024) });

/** The query of a page that reads the trail: the id of the last record that it has. */
const since = z.strictObject({ since: z.uuidv7('must be the id of a record').optional() });

/** Events of the audit trail. Other members than these are those of the event. */
const records = z
  .array(
    z.looseObject({
      event: z.string().max(100),
      id: z.uuidv7(),
      outcome: z.enum(['ok', 'denied', 'error']),
      time: z.number(),
    }),
  )
  .min(1)
  .max(100);

/** Makes the function that gives the checked input, or throws a 400 that names the fault. */
function checked(schema) {
  return (value) => {
    const { success, data, error } = schema.safeParse(value);
    if (success) return data;
    // The message names the member and the rule, never the value.
    const [{ code, message, path }] = error.issues;
    const fault = code === 'unrecognized_keys' ? 'has a member that is not known' : message;
    const member = path.join('.') || 'the input';
    throw new HttpError(400, 'invalid_request', { message: `${member} ${fault}` });
  };
}

module.exports = {
  MAX_BODY,
  credentials: checked(credentials),
  newCredentials: checked(newCredentials),
  programLogin: checked(programLogin),
  programRefresh: checked(programRefresh),
  records: checked(records),
  since: checked(since),
};
