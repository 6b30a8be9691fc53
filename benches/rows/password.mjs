import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';

import { hash } from '@nodesec/native';
import * as nodeRs from '@node-rs/argon2';
import argon2 from 'argon2';
import * as hashWasm from 'hash-wasm';

const PASSWORD = 'correct horse battery staple';
const SALT = Buffer.alloc(16, 7);
const CORES = availableParallelism();

const COSTS = [
  { memoryCost: 19456, timeCost: 2, parallelism: 1, slowMs: 60 },
  { memoryCost: 65536, timeCost: 3, parallelism: 1, slowMs: 250 },
  { memoryCost: 65536, timeCost: 3, parallelism: 4, slowMs: 250 },
];

const CALLERS = [
  [1, 'one caller'],
  [CORES, 'cores callers'],
  [4 * CORES, '4×cores callers'],
];

export const rows = COSTS.flatMap((costs) => CALLERS.map((callers) => row(costs, callers)));

function row({ slowMs, ...costs }, [callers, called]) {
  const { memoryCost, timeCost, parallelism } = costs;
  return {
    name: `passwords: hash ${memoryCost}/${timeCost}/${parallelism}, ${called}`,
    setting: `Argon2id, 32-byte tag, a hash for each of ${callers} at once; memory in KiB / passes / lanes`,
    slowMs: slowMs * callers,
    target: { argon2: 1.5 },
    prepare: () => contestants(costs, callers),
  };
}

async function contestants(costs, callers) {
  const peers = peersAt(costs);
  const [ours, ...theirs] = Object.values(peers);
  const tag = Buffer.from(await ours());
  for (const peer of theirs) assert.deepEqual(Buffer.from(await peer()), tag);
  return Object.entries(peers).map(([name, run]) => ({ name, run: repeat(run, callers) }));
}

/** The peers by name, ours first. Each function computes one hash. */
export function peersAt(costs) {
  const { memoryCost, timeCost, parallelism } = costs;
  return {
    '@nodesec/native': () => hash(PASSWORD, { ...costs, hashLength: 32, salt: SALT, raw: true }),
    argon2: () =>
      argon2.hash(PASSWORD, { ...costs, hashLength: 32, salt: SALT, raw: true, type: 2 }),
    '@node-rs/argon2': () =>
      nodeRs.hashRaw(PASSWORD, { ...costs, outputLen: 32, salt: SALT, algorithm: 2 }),
    'hash-wasm': () =>
      hashWasm.argon2id({
        password: PASSWORD,
        salt: SALT,
        parallelism,
        iterations: timeCost,
        memorySize: memoryCost,
        hashLength: 32,
        outputType: 'binary',
      }),
  };
}

function repeat(operation, callers) {
  return async (n) => {
    for (let i = 0; i < n; i += 1) await Promise.all(Array.from({ length: callers }, operation));
  };
}
