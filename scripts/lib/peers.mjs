// Where scripts/peers.mjs installs, and where others find its programs.

import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';

import { root } from './run.mjs';

export const peers = path.join(root, 'node_modules', '.cache', 'nodesec-peers');
/** Next.js has a folder of its own, which is copied into a project. */
export const nextPeers = path.join(peers, 'next');
/** Programs in Python that check workflows, crates and binaries. */
export const checks = path.join(peers, 'checks');

/** The folders of the programs that npm has installed, and of Bun, for PATH. */
export function programFolders() {
  const modules = path.join(peers, 'node_modules');
  const bun = path.join(modules, '@oven');
  if (!existsSync(bun) || !existsSync(nextPeers)) {
    throw new Error('The bundlers are not installed: run `node scripts/peers.mjs`');
  }
  return [
    path.join(modules, '.bin'),
    ...readdirSync(bun).map((name) => path.join(bun, name, 'bin')),
  ];
}
