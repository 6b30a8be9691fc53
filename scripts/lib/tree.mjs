// Makes copies of the checkout with another native part.

import { cpSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';

import { root } from './run.mjs';

/** The parts of the checkout that the suites use. */
const PARTS = [
  'README.md', '__test__', 'argon2.js', 'audit.d.ts', 'audit.js', 'docs', 'examples', 'express',
  'express.js', 'fastify.js', 'index.js', 'lib', 'package.json', 'redis.js',
  'scripts', 'web.js',
];

/** One suite per capability, for machines that are slow or have no development dependencies. */
export const CAPABILITIES = [
  'password/password', 'token/token', 'revocation/revocation', 'session/session', 'secret/secret',
  'limiter/limiter', 'house/ids',
];

/**
 * Copies the parts that the suites use into `tree`, with `binary` as the native part of `platform`.
 * The files `besides` are copied to the same folder as `binary`. Links would not do: Node resolves
 * links, and would find the checkout's own native part.
 */
export function layOut(tree, platform, binary, besides = []) {
  rmSync(tree, { recursive: true, force: true });
  const folder = path.join(tree, 'npm', platform);
  mkdirSync(folder, { recursive: true });
  for (const name of PARTS) cpSync(path.join(root, name), path.join(tree, name), { recursive: true });
  symlinkSync(path.join(root, 'node_modules'), path.join(tree, 'node_modules'));
  cpSync(path.join(root, 'npm', platform, 'package.json'), path.join(folder, 'package.json'));
  cpSync(binary, path.join(folder, `nodesec.${platform}.node`));
  for (const file of besides) cpSync(file, path.join(folder, path.basename(file)));
}

/** The names of the checkout's suites, such as `token/cache`, except those in `leftOut`. */
export function suitesWithout(leftOut) {
  const suites = readdirSync(path.join(root, '__test__'), { recursive: true })
    .filter((name) => name.endsWith('.test.js'))
    .map((name) => name.slice(0, -'.test.js'.length));
  const unknown = leftOut.filter((name) => !suites.includes(name));
  if (unknown.length > 0) throw new Error(`There is no suite ${unknown.join(', ')}`);
  return suites.filter((name) => !leftOut.includes(name)).sort();
}
