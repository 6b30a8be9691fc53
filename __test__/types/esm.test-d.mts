// Imports the same module as ESM: the names must exist without a default export.

import { hash, JwtVerifier, type KeyRingOptions } from '@nodesec/native';

const options: KeyRingOptions = { alg: 'EdDSA', jwksMaxAge: '10m' };
void hash('password').then((digest: string) => digest.length);
declare const verifier: JwtVerifier;
verifier.tryVerify(options);
