import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { peersAt } from './password.mjs';

const CHILD = fileURLToPath(new URL('../lib/loaded.mjs', import.meta.url));
const CALLERS = 4 * availableParallelism();

const COSTS = [
  { memoryCost: 19456, timeCost: 2, parallelism: 1 },
  { memoryCost: 65536, timeCost: 3, parallelism: 4 },
];

export const rows = COSTS.map((costs) => ({
  name: `passwords: the process under load, ${Object.values(costs).join('/')}`,
  setting:
    `${CALLERS} hashes in flight, each peer in a process of its own; how late timers of 1 ms come, ` +
    'idle and under load, and how much resident memory grows at most',
  observe: (how) => observe(costs, how),
}));

async function observe(costs, { quick }) {
  const lines = [];
  for (const name of Object.keys(peersAt(costs))) {
    const job = JSON.stringify({ name, costs, callers: CALLERS, forMs: quick ? 2000 : 10_000 });
    const { stdout } = await promisify(execFile)(process.execPath, [CHILD, job]);
    const { idle, loaded, perSecond, grownMib } = JSON.parse(stdout);
    const late = loaded.turns
      ? `p99 ${ms(idle.p99)} idle, ${ms(loaded.p99)} loaded (p50 ${ms(idle.p50)}, ${ms(loaded.p50)})`
      : `p99 ${ms(idle.p99)} idle; the loop stands still under load`;
    const rest = `${perSecond.toFixed(1)} hashes/s; +${grownMib.toFixed(0)} MiB`;
    lines.push(`  ${name.padEnd(20)} ${late}; ${rest}`);
  }
  return `${lines.join('\n')}\n`;
}

function ms(nanos) {
  return `${(nanos / 1e6).toFixed(1)} ms`;
}
