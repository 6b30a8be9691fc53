// `node scripts/svids.mjs`: generates the certificates of __test__/vectors/x509-svids.json with
// OpenSSL 3: one authority and the certificates that it issues, valid and invalid SVIDs, from 2020
// to 2120.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { root } from './lib/run.mjs';

const SOURCE =
  'Generated with OpenSSL 3.0 by scripts/svids.mjs for these tests, and nowhere else in use. All are ' +
  'issued by the first. "refused" is part of the message that says why one is no SVID of a workload.';

const AUTHORITY = {
  subject: '/O=SPIFFE',
  basicConstraints: 'critical, CA:true',
  keyUsage: 'critical, keyCertSign, cRLSign',
  names: ['URI:spiffe://example.org'],
};
const LEAF = {
  subject: '/',
  basicConstraints: 'critical, CA:false',
  keyUsage: 'critical, digitalSignature',
  extendedKeyUsage: 'serverAuth, clientAuth',
  names: ['URI:spiffe://example.org/web'],
};
const CASES = [
  { name: 'authority', refused: 'must not be an authority', ...AUTHORITY },
  { name: 'web', ...LEAF, uri: 'spiffe://example.org/web' },
  {
    name: 'database',
    ...LEAF,
    subject: '/C=US/O=SPIRE/CN=db.example.org',
    basicConstraints: undefined,
    extendedKeyUsage: undefined,
    names: ['DNS:db.example.org', 'URI:spiffe://example.org/ns/prod/db', 'IP:127.0.0.1'],
    uri: 'spiffe://example.org/ns/prod/db',
  },
  {
    name: 'two ids',
    ...LEAF,
    names: ['URI:spiffe://example.org/a', 'URI:spiffe://example.org/b'],
    refused: 'exactly one URI',
  },
  {
    name: 'a host name that looks like an id in a list of names',
    ...LEAF,
    names: ['DNS:a, URI:spiffe://example.org/admin'],
    refused: 'exactly one URI',
  },
  { name: 'no names', ...LEAF, subject: '/CN=web', names: [], refused: 'must have a subjectAltName' },
  {
    name: 'the id of a trust domain',
    ...LEAF,
    names: ['URI:spiffe://example.org'],
    refused: 'must have a path',
  },
  { name: 'of a client only', ...LEAF, extendedKeyUsage: 'clientAuth', refused: 'serverAuth' },
  {
    name: 'signs certificates',
    ...LEAF,
    keyUsage: 'critical, digitalSignature, keyCertSign',
    refused: 'keyCertSign',
  },
  {
    name: 'a keyUsage that may be ignored',
    ...LEAF,
    keyUsage: 'digitalSignature',
    refused: 'keyUsage must be critical',
  },
];

const folder = mkdtempSync(path.join(os.tmpdir(), 'nodesec-svids-'));
const at = (name) => path.join(folder, name);
const ISSUER = ['-cert', at('0.crt'), '-keyfile', at('0.key')];
writeFileSync(at('database'), '');
try {
  const cases = CASES.map(issue);
  const text = JSON.stringify({ source: SOURCE, cases }, null, 2);
  writeFileSync(path.join(root, '__test__', 'vectors', 'x509-svids.json'), `${text}\n`);
} finally {
  rmSync(folder, { recursive: true });
}

function issue({ name, refused, uri, ...form }, index) {
  const file = (kind) => at(`${index}.${kind}`);
  writeFileSync(file('cnf'), config(form));
  openssl('genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256', '-out', file('key'));
  const request = ['-key', file('key'), '-subj', form.subject, '-config', file('cnf')];
  openssl('req -new', ...request, '-out', file('csr'));
  const issuer = index === 0 ? ['-selfsign', '-keyfile', file('key')] : ISSUER;
  // A fixed start date, which is in the past wherever the tests run.
  const dates = ['-startdate', '20200101000000Z', '-enddate', '21200101000000Z'];
  const options = ['-config', file('cnf'), '-in', file('csr'), '-out', file('crt')];
  openssl('ca -batch -notext -md sha256', ...issuer, ...dates, ...options);
  const [cert, key] = ['crt', 'key'].map((kind) => readFileSync(file(kind), 'utf8'));
  return { name, ...(refused === undefined ? { uri, cert, key } : { refused, cert }) };
}

function config({ subject, names, ...extensions }) {
  const lines = Object.entries(extensions).filter(([, value]) => value !== undefined);
  if (names.length > 0) {
    lines.push(['subjectAltName', subject === '/' ? 'critical, @names' : '@names']);
  }
  const list = names.map((name, index) => name.replace(':', `.${index} = `));
  return [
    `[req]\ndistinguished_name = none\n[none]\n[ca]\ndefault_ca = own\n[own]`,
    `database = ${at('database')}\nnew_certs_dir = ${folder}\nunique_subject = no\nrand_serial = yes`,
    'policy = policy\nx509_extensions = extensions\npreserve = yes',
    '[policy]\ncommonName = optional\norganizationName = optional\ncountryName = optional',
    '[extensions]\nsubjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid',
    ...lines.map(([name, value]) => `${name} = ${value}`),
    `[names]\n${list.join('\n')}\n`,
  ].join('\n');
}

function openssl(command, ...args) {
  const stdio = ['ignore', 'ignore', 'pipe'];
  execFileSync('openssl', [...command.split(' '), ...args], { stdio });
}
