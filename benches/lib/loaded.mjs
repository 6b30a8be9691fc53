// A process that hashes without a break, for rows/password-load.mjs. Prints the delays of its
// timers, the hashes per second, and the growth of its memory.

import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

import { peersAt } from '../rows/password.mjs';

const { name, costs, callers, forMs } = JSON.parse(process.argv[2]);
const hash = peersAt(costs)[name];
const before = process.memoryUsage.rss();

// The first call loads and compiles code, which is not part of the measurement.
await hash();
await sleep(500);
const idle = await delays(() => sleep(forMs));
let hashes = 0;
let until;
const start = performance.now();
const loaded = await delays(() => {
  until = start + forMs;
  return Promise.all(Array.from({ length: callers }, call));
});
const perSecond = (hashes * 1000) / (performance.now() - start);
console.log(JSON.stringify({ idle, loaded, perSecond, grownMib: (peak() - before) / 2 ** 20 }));

async function call() {
  while (performance.now() < until) {
    await hash();
    hashes += 1;
  }
}

async function delays(work) {
  const histogram = monitorEventLoopDelay({ resolution: 1 });
  histogram.enable();
  await work();
  histogram.disable();
  // An event loop that is blocked takes no sample.
  return { turns: histogram.count, p50: histogram.percentile(50), p99: histogram.percentile(99) };
}

/**
 * The maximum of resident memory so far, in bytes. Where the kernel does not report it, the current
 * value.
 */
function peak() {
  try {
    const status = readFileSync('/proc/self/status', 'latin1');
    return 1024 * Number(status.match(/^VmHWM:\s+(\d+) kB/m)[1]);
  } catch {
    return process.memoryUsage.rss();
  }
}
