// Measures contestants. They take turns in slices of a few milliseconds, in an order that changes
// every round, so that other load on the machine affects all of them alike.

const SLICE_MS = 20;
const ROUNDS = { quick: 15, full: 101 };

/**
 * @param {Array<{ name: string, limit?: boolean, run: (n: number) => void | Promise<void> }>}
 *   contestants `run` performs the operation n times; the first contestant is ours; a `limit` is no
 *   library but the bare operation
 * @returns each contestant's nanoseconds per operation in every round
 */
export async function measure(contestants, { quick, slowMs }) {
  const rounds = slowMs ? Math.ceil((quick ? 8_000 : 40_000) / (slowMs * contestants.length)) : ROUNDS[quick ? 'quick' : 'full'];
  const states = [];
  for (const contestant of contestants) {
    states.push({ ...contestant, n: slowMs ? 1 : await calibrate(contestant), samples: [] });
  }
  for (let round = 0; round < rounds; round += 1) {
    const turn = round % states.length;
    for (const state of [...states.slice(turn), ...states.slice(0, turn)]) {
      state.samples.push(await time(state));
    }
  }
  return states.map(({ name, limit, samples }) => ({ name, limit, samples }));
}

async function calibrate(contestant) {
  let n = 1;
  // This also warms up: the last slices run optimised code.
  for (;;) {
    const elapsedMs = ((await time({ ...contestant, n })) * n) / 1e6;
    if (elapsedMs >= SLICE_MS) return n;
    n = elapsedMs < 1 ? n * 8 : Math.ceil((n * SLICE_MS * 1.1) / elapsedMs);
  }
}

async function time({ run, n }) {
  const start = process.hrtime.bigint();
  await run(n);
  return Number(process.hrtime.bigint() - start) / n;
}

export function median(numbers) {
  return quantile(numbers, 0.5);
}

export function quantile(numbers, q) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.round((sorted.length - 1) * q)];
}
