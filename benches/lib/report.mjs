import { median, quantile } from './measure.mjs';

export function describe({ name, setting }) {
  return `${name}\n  ${setting}`;
}

/**
 * Returns one line per contestant: its median, and the median of the rounds' ratios of its time to
 * ours.
 *
 * `target` holds the ratio to reach by contestant; `best` stands for the fastest of the others.
 * `atMost` limits the ratio of our time to that of each other.
 */
export function report([ours, ...others], { target = {}, atMost }) {
  const compared = others.map((other) => ({ ...other, ...ratiosOf(other, ours) }));
  const peers = compared.filter(({ limit }) => !limit);
  const best = peers.toSorted((one, two) => one.ratio - two.ratio)[0];
  const lines = compared.map((other) => {
    if (other.limit) return `${figure(other)}   ours is at ${(1 / other.ratio).toFixed(2)}x the limit`;
    const wanted = target[other.name] ?? (other === best ? target.best : undefined);
    const remarks = [`middle half ${other.range}`];
    if (target.best !== undefined && other === best) remarks.push('the best peer');
    if (wanted !== undefined) remarks.push(verdict(other.ratio >= wanted, `at least ${wanted}`));
    if (atMost !== undefined) {
      const costs = 1 / other.ratio;
      remarks.push(`ours is at ${costs.toFixed(2)}x, ${verdict(costs <= atMost, `at most ${atMost}`)}`);
    }
    return `${figure(other)}   ${other.ratio.toFixed(2)}x ours (${remarks.join(', ')})`;
  });
  return `${[figure(ours), ...lines].join('\n')}\n`;
}

function ratiosOf({ samples }, ours) {
  const ratios = samples.map((sample, round) => sample / ours.samples[round]);
  const [low, high] = [quantile(ratios, 0.25), quantile(ratios, 0.75)].map((r) => r.toFixed(2));
  return { ratio: median(ratios), range: `${low}–${high}` };
}

export function verdict(met, wanted) {
  return `to be ${wanted}: ${met ? 'met' : 'NOT met'}`;
}

function figure({ name, samples }) {
  return `  ${name.padEnd(38)} ${duration(median(samples)).padStart(10)}`;
}

export function duration(ns) {
  if (ns >= 1e6) return `${(ns / 1e6).toFixed(1)} ms`;
  if (ns >= 1e4) return `${(ns / 1e3).toFixed(1)} µs`;
  return `${ns.toFixed(0)} ns`;
}
