'use strict';

// The init container: copies the secrets of a volume into one in memory, readable by the user of
// the service only. Kubernetes gives the files of a volume to a group, and SecretBuffer.fromFile
// refuses a file that a group may read.
//
//   node copy-secrets.js FROM TO

const { copyFileSync, chmodSync, readdirSync } = require('node:fs');
const path = require('node:path');

const [, , from, to] = process.argv;

process.umask(0o077);
// Kubernetes has links to the present version of the volume in `..data`.
for (const name of readdirSync(from).filter((file) => !file.startsWith('.'))) {
  const copy = path.join(to, name);
  copyFileSync(path.join(from, name), copy);
  chmodSync(copy, 0o600);
}
