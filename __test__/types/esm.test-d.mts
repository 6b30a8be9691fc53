// The same module, imported: the names must be there without a default export in between.

import { hash, JwtVerifier, type KeyRingOptions } from '@nodesec/native';

const options: KeyRingOptions = { alg: 'EdDSA', jwksMaxAge: '10m' };
void hash('password').then((digest: string) => digest.length);
declare const verifier: JwtVerifier;
verifier.tryVerify(options);
