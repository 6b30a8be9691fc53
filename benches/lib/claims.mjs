// The claims of the tokens in the rows, and the issuer and audience that verifiers check.

export const ISSUER = 'https://id.example';
export const AUDIENCE = 'api';
export const KID = 'k1';
export const TTL = 900;

/** The lengths of the payloads, in bytes of JSON. */
export const SIZES = [150, 600, 2048];

/**
 * The claims of the shortest payload. The libraries add iat, exp, iss, aud and jti, which gives 150
 * bytes.
 */
const OWN = { sub: 'u-12345', role: 'admin' };
const OWN_LENGTH = 150;

/**
 * Claims for a payload of `size` bytes: permissions as services grant them, and a name that fills
 * the remaining bytes.
 */
export function claimsFor(size) {
  if (size === OWN_LENGTH) return OWN;
  const claims = { ...OWN, name: '', permissions: [] };
  const missing = () => size - OWN_LENGTH - (text(claims).length - text(OWN).length);
  for (let i = 0; ; i += 1) {
    claims.permissions.push(`projects/${1000 + 37 * i}:${['read', 'write', 'admin'][i % 3]}`);
    if (missing() < 60) break;
  }
  claims.name = 'Ada Lovelace '.repeat(10).slice(0, missing());
  return claims;
}

export function seconds() {
  return Math.floor(Date.now() / 1000);
}

function text(value) {
  return JSON.stringify(value);
}
