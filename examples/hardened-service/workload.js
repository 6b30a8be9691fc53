'use strict';

// The certificate of a service, which its platform replaces every few minutes, such as SPIRE's
// agent. It is one file with the private key and the certificate, beside `bundle.pem` with the
// authorities of the trust domain.

const { X509Certificate, constants, createHash } = require('node:crypto');
const { readFileSync, statSync } = require('node:fs');
const path = require('node:path');

const { SecretBuffer } = require('@nodesec/native');

/** The time between two looks at the file. */
const LOOK_MS = 500;

/** Opens the certificate of a file. It notices by itself when the file is replaced. */
function openWorkload(file) {
  let current = load(file);
  const listeners = [];
  const timer = setInterval(() => {
    const old = current;
    try {
      if (stampOf(file) === current.stamp) return;
      current = load(file);
    } catch (error) {
      // The old certificate is still good for a while: look again.
      console.error(`the new certificate cannot be read: ${error.code ?? error.name}`);
      return;
    }
    for (const listener of listeners) listener();
    old.pem.dispose();
  }, LOOK_MS).unref();

  return {
    /** The parsed certificate of the moment. */
    get certificate() {
      return current.certificate;
    },

    /** The hash of the certificate, to which a token is bound (RFC 8705). */
    get thumbprint() {
      return createHash('sha256').update(current.certificate.raw).digest('base64url');
    },

    /**
     * Calls `fn` with the options for TLS. The private key is lent: it is wiped when `fn` returns,
     * and stays in secret memory and in OpenSSL's.
     */
    use(fn) {
      return current.pem.use((bytes) => {
        const pem = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        return fn({ ...POLICY, ca: current.authorities, cert: pem, key: pem });
      });
    },

    /** Has a function called each time there is a new certificate. */
    onRenewed: (listener) => listeners.push(listener),

    close() {
      clearInterval(timer);
      current.pem.dispose();
    },
  };
}

const POLICY = {
  minVersion: 'TLSv1.3',
  // A resumed session would not show the certificate of the peer again.
  secureOptions: constants.SSL_OP_NO_TICKET,
};

function load(file) {
  const stamp = stampOf(file);
  const pem = SecretBuffer.fromFile(file);
  const authorities = readFileSync(path.join(path.dirname(file), 'bundle.pem'), 'utf8');
  const certificate = pem.use((bytes) => new X509Certificate(bytes));
  return { authorities, certificate, pem, stamp };
}

/** Differs when the file has been replaced. */
function stampOf(file) {
  const { ino, mtimeMs } = statSync(file);
  return `${ino} ${mtimeMs}`;
}

module.exports = { openWorkload };
