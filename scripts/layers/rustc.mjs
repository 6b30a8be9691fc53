#!/usr/bin/env node
// Runs rustc for cargo (RUSTC_WORKSPACE_WRAPPER), and allows the unstable options that print trees.

import { spawnSync } from 'node:child_process';

const [rustc, ...args] = process.argv.slice(2);
const env = { ...process.env, RUSTC_BOOTSTRAP: '1' };
const { status } = spawnSync(rustc, args, { env, stdio: 'inherit' });
process.exitCode = status ?? 1;
