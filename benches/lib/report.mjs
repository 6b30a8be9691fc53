import { median, quantile } from './measure.mjs';

export function describe({ name, setting }) {
  return `${name}\n  ${setting}`;
}

/** A line a contestant: median, and how many times as long as ours it takes, round by round. */
export function report(results, { target }) {
  const [ours] = results;
  const lines = results.map(({ name, samples }) => {
    const figure = `  ${name.padEnd(38)} ${duration(median(samples)).padStart(10)}`;
    if (samples === ours.samples) return figure;
    const ratios = samples.map((sample, round) => sample / ours.samples[round]);
    const [low, high] = [quantile(ratios, 0.25), quantile(ratios, 0.75)].map((r) => r.toFixed(2));
    const wanted = target?.[name] ? `, to be at least ${target[name]}` : '';
    return `${figure}   ${median(ratios).toFixed(2)}x ours (middle half ${low}–${high}${wanted})`;
  });
  return `${lines.join('\n')}\n`;
}

function duration(ns) {
  if (ns >= 1e6) return `${(ns / 1e6).toFixed(1)} ms`;
  if (ns >= 1e4) return `${(ns / 1e3).toFixed(1)} µs`;
  return `${ns.toFixed(0)} ns`;
}
