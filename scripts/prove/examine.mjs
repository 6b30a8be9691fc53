// Reads processes of each backend at each moment, and compares with what the rows claim.

import { READERS } from './readers.mjs';
import { MOMENTS } from './rows.mjs';
import { SECRETS } from './secrets.mjs';
import { Specimen } from './specimen.mjs';

/** This ends the process that it reads. */
const FATAL = 'kernel core dump';

/** Resolves with the rows, completed by what was `found`, and with the `problems` as text. */
export async function examine(native, rows, backends, { places = false } = {}) {
  const found = rows.map((row) => ({ ...row, found: {} }));
  const problems = [];
  const check = (row, backend, result) => {
    const name = `${row.moment}, ${row.reader}, ${backend}`;
    const secrets = result.secrets.filter(({ group }) => group === row.group);
    found[rows.indexOf(row)].found[backend] = secrets.length > 0;
    if (!result.controls.has(READERS[row.reader].control)) problems.push(`${name}: no control`);
    // Each of them, so that none is looked for in a wrong form.
    if (backend === 'plain' && row.reader === '/proc/PID/mem' && row.moment === 'kept') {
      const names = new Set(secrets.map(({ secret }) => secret));
      const unseen = SECRETS.filter((secret) => secret.group === row.group && !names.has(secret.name));
      for (const secret of unseen) problems.push(`${name}: the ${secret.name} was not recognised`);
    }
    const isAsClaimed = secrets.length > 0 === row.expected[backend];
    if (!isAsClaimed) problems.push(`${name}: ${describe(secrets)}`);
    if (places) console.log(`${name}: ${Math.round(result.read / 1e6)} MB, ${describe(secrets)}`);
  };
  for (const backend of backends) {
    console.log(`Reading processes with ${backend}`);
    for (const path of lives(rows)) await live(native, backend, path, check);
  }
  return { found, problems };
}

/**
 * The processes that are needed: each is read at some moments, and one way to read is the last
 * that happens to it.
 */
function lives(rows) {
  const fatal = rows.filter(({ reader }) => reader === FATAL);
  const others = rows.filter(({ reader }) => reader !== FATAL);
  const last = MOMENTS.at(-1).moment;
  return [
    [...others, ...fatal.filter(({ moment }) => moment === last)],
    ...fatal.filter(({ moment }) => moment !== last).map((row) => [row]),
  ];
}

async function live(native, backend, rows, check) {
  const specimen = await Specimen.plant(native, native.file, backend);
  try {
    for (const { moment, command } of MOMENTS) {
      if (!rows.some((row) => isNotBefore(row, moment))) break;
      if (command !== undefined) await specimen.tell(command);
      const now = rows.filter((row) => row.moment === moment);
      for (const row of now) check(row, backend, await READERS[row.reader].read(specimen));
    }
  } finally {
    await specimen.end();
  }
}

function isNotBefore(row, moment) {
  const place = (wanted) => MOMENTS.findIndex(({ moment: own }) => own === wanted);
  return place(row.moment) >= place(moment);
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
