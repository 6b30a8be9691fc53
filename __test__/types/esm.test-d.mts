// Imports the same module as ESM: the names must exist without a default export.

import { hash, JwtVerifier, type KeyRingOptions } from '@nodesec/native';
import { channels, hashId, record, type AuditEvent } from '@nodesec/native/audit';

const options: KeyRingOptions = { alg: 'EdDSA', jwksMaxAge: '10m' };
void hash('password').then((digest: string) => digest.length);
declare const verifier: JwtVerifier;
verifier.tryVerify(options);

// The events of the audit trail are told apart by `event`.
record('invoice.read', { subject: 'u-1', outcome: 'denied', invoice: 17, note: undefined });
// @ts-expect-error Objects are no fields.
record('invoice.read', { request: {} });
// @ts-expect-error The members of events are known.
hashId('kid', 'k1');
declare const event: AuditEvent;
switch (event.event) {
  case 'token.refused':
    event.code satisfies string;
    break;
  case 'key.rotated':
    event.kid satisfies string;
    // @ts-expect-error A key has no subject.
    void event.subject;
    break;
  case 'app.recorded':
    event.fields?.invoice satisfies string | number | boolean | null | undefined;
    break;
}
channels satisfies readonly string[];
