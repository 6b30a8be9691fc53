import assert from 'node:assert/strict';

import { hash } from '@nodesec/native';
import * as nodeRs from '@node-rs/argon2';
import * as hashWasm from 'hash-wasm';

const PASSWORD = 'correct horse battery staple';
const SALT = new Uint8Array(16).fill(7);

export const rows = [
  row('hash 19456/2/1', { memoryCost: 19456, timeCost: 2, parallelism: 1 }, 60),
  row('hash 65536/3/4', { memoryCost: 65536, timeCost: 3, parallelism: 4 }, 250),
];

function row(name, costs, slowMs) {
  return {
    name: `passwords: ${name}`,
    setting: 'Argon2id, 32-byte tag, one caller; memory in KiB / passes / lanes',
    slowMs,
    prepare: () => contestants(costs),
  };
}

async function contestants({ memoryCost, timeCost, parallelism }) {
  const costs = { memoryCost, timeCost, parallelism };
  const ours = () => hash(PASSWORD, { ...costs, hashLength: 32, salt: SALT, raw: true });
  const native = () =>
    nodeRs.hashRaw(PASSWORD, { ...costs, outputLen: 32, salt: SALT, algorithm: 2 });
  const wasm = () =>
    hashWasm.argon2id({
      password: PASSWORD,
      salt: SALT,
      parallelism,
      iterations: timeCost,
      memorySize: memoryCost,
      hashLength: 32,
      outputType: 'binary',
    });

  const tag = Buffer.from(await ours());
  for (const peer of [native, wasm]) assert.deepEqual(Buffer.from(await peer()), tag);
  return [
    { name: '@nodesec/native', run: repeat(ours) },
    { name: '@node-rs/argon2', run: repeat(native) },
    { name: 'hash-wasm', run: repeat(wasm) },
  ];
}

function repeat(operation) {
  return async (n) => {
    for (let i = 0; i < n; i += 1) await operation();
  };
}
