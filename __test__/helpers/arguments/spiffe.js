'use strict';

const { bytes, kind, name, or } = require('../hostile.js');
const { cases } = require('../../vectors/x509-svids.json');

const CERTIFICATE = cases.find(({ name }) => name === 'web').cert;
const noCertificate = kind({ 'a PEM of nothing': () => '', 'empty bytes': () => new Uint8Array() });

module.exports = {
  parseSpiffeId: { args: () => ['spiffe://example.org/web'], kinds: [name] },
  spiffeIdOf: { args: () => [CERTIFICATE], kinds: [or(bytes, noCertificate)] },
};
