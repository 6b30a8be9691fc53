// Reads processes of each backend at each moment, and compares the results with the claims.

import { READERS } from './readers.mjs';
import { MOMENTS } from './claims.mjs';
import { CALLS, SECRETS } from './secrets.mjs';
import { Specimen } from './specimen.mjs';

/** This reader ends the process that it reads. */
const FATAL = 'kernel core dump';

/** Resolves with the claims, each with its result in `found`, and with the `problems` as text. */
export async function examine(native, claims, backends, { places = false } = {}) {
  const found = claims.map((claim) => ({ ...claim, found: {} }));
  const problems = [];
  const check = (claim, backend, result) => {
    const name = `${claim.title ?? claim.moment}, ${claim.reader}, ${backend}`;
    const secrets = result.secrets.filter(({ group }) => group === claim.group);
    found[claims.indexOf(claim)].found[backend] = secrets.length > 0;
    const control = claim.group in CALLS ? 'array' : READERS[claim.reader].control;
    if (!result.controls.has(control)) problems.push(`${name}: no control`);
    // Here every secret that is kept must be found. This shows that the harness knows its form.
    const { group, moment, reader } = claim;
    const showsAll = backend === 'plain' && reader === '/proc/PID/mem' && moment === 'kept';
    if (showsAll && !(group in CALLS)) {
      const names = new Set(secrets.map(({ secret }) => secret));
      const unseen = SECRETS.filter((secret) => secret.group === group && !names.has(secret.name));
      for (const secret of unseen) problems.push(`${name}: the ${secret.name} was not recognised`);
    }
    const isAsClaimed = secrets.length > 0 === claim.expected[backend];
    if (!isAsClaimed) problems.push(`${name}: ${describe(secrets)}`);
    if (places) console.log(`${name}: ${Math.round(result.read / 1e6)} MB, ${describe(secrets)}`);
  };
  for (const backend of backends) {
    console.log(`Reading processes with ${backend}`);
    for (const path of lives(claims)) await live(native, backend, path, check);
  }
  return { found, problems };
}

/**
 * Divides the claims among processes. The fatal reader ends its process, so each process has at
 * most one claim of that reader, and it comes last.
 */
function lives(claims) {
  const fatal = claims.filter(({ reader }) => reader === FATAL);
  const others = claims.filter(({ reader }) => reader !== FATAL);
  const last = MOMENTS.at(-1).moment;
  return [
    [...others, ...fatal.filter(({ moment }) => moment === last)],
    ...fatal.filter(({ moment }) => moment !== last).map((claim) => [claim]),
  ];
}

async function live(native, backend, claims, check) {
  const specimen = await Specimen.plant(native, native.file, backend);
  try {
    for (const { moment, command } of MOMENTS) {
      if (!claims.some((claim) => isNotBefore(claim, moment))) break;
      if (command !== undefined) await specimen.tell(command);
      const now = claims.filter((claim) => claim.moment === moment);
      for (const reader of new Set(now.map((claim) => claim.reader))) {
        const result = await READERS[reader].read(specimen);
        for (const claim of now) if (claim.reader === reader) check(claim, backend, result);
      }
    }
  } finally {
    await specimen.end();
  }
}

function isNotBefore(claim, moment) {
  const place = (wanted) => MOMENTS.findIndex(({ moment: own }) => own === wanted);
  return place(claim.moment) >= place(moment);
}

function describe(secrets) {
  if (secrets.length === 0) return 'nothing was found';
  const forms = new Map();
  for (const { secret, form, place } of secrets) {
    const key = `${secret} (${form})`;
    forms.set(key, [...(forms.get(key) ?? []), place]);
  }
  return [...forms].map(([key, at]) => `${key} ×${at.length} at ${at[0]}`).join('; ');
}
