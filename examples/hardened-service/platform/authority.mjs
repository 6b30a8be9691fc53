// The authority of the example: it does what SPIRE does in a cluster. It signs certificates that
// live for minutes, and writes them where the services read them. It runs in a process of its own,
// so that no service ever holds its key.

import { webcrypto } from 'node:crypto';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';

// The decorators of the library need it, before the library.
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';

x509.cryptoProvider.set(webcrypto);

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
/** Certificates are valid from a little earlier, for machines whose clock is behind. */
const BACKDATED_MS = 30_000;

/** Makes an authority for a trust domain. Its own certificate is valid for a day. */
export async function createAuthority(trustDomain) {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `O=${trustDomain}`,
    keys,
    signingAlgorithm: ALGORITHM,
    ...validity(24 * 3600_000),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      new x509.SubjectAlternativeNameExtension([{ type: 'url', value: `spiffe://${trustDomain}` }]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });

  const bundle = `${certificate.toString('pem')}\n`;

  return {
    /** The certificate of the authority, as PEM. */
    bundle,

    /** Signs a certificate for `names`. Resolves to a PEM: its key, itself, its authority. */
    async issue(names, lifetimeMs) {
      const own = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
      const issued = await x509.X509CertificateGenerator.create({
        publicKey: own.publicKey,
        issuer: certificate.subject,
        signingKey: keys.privateKey,
        signingAlgorithm: ALGORITHM,
        ...validity(lifetimeMs),
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension([
            x509.ExtendedKeyUsage.serverAuth,
            x509.ExtendedKeyUsage.clientAuth,
          ]),
          // Critical, because the certificate has no other name.
          new x509.SubjectAlternativeNameExtension(names, true),
          await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
        ],
      });
      const key = await webcrypto.subtle.exportKey('pkcs8', own.privateKey);
      return `${x509.PemConverter.encode(key, 'PRIVATE KEY')}\n${issued.toString('pem')}\n${bundle}`;
    },
  };
}

function validity(lifetimeMs) {
  const now = Date.now();
  return { notBefore: new Date(now - BACKDATED_MS), notAfter: new Date(now + lifetimeMs) };
}

/**
 * Writes certificates into folders, and replaces them when half of their life is over.
 * `certificates` are `{ file, names }`. Resolves to the function that ends it.
 */
export async function keepIssuing(authority, certificates, lifetimeMs) {
  const issueAll = async () => {
    for (const { file, names } of certificates) {
      replace(file, await authority.issue(names, lifetimeMs));
    }
  };
  for (const { file } of certificates) {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    replace(path.join(path.dirname(file), 'bundle.pem'), authority.bundle);
  }
  await issueAll();
  const timer = setInterval(issueAll, lifetimeMs / 2);
  return () => clearInterval(timer);
}

/** Replaces a file as a whole: no reader sees a half of it, or a key with another certificate. */
function replace(file, content) {
  writeFileSync(`${file}.new`, content, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
