// Writes the table of events in docs/audit.md from lib/audit/events.js, and checks that audit.d.ts
// declares the same events with the same members.
//
//   node scripts/audit.mjs            writes the table
//   node scripts/audit.mjs --check    fails if it is stale

import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

import { main, root } from './lib/run.mjs';

const { EVENTS } = createRequire(import.meta.url)('../lib/audit/events.js');

const PAGE = 'docs/audit.md';
const MANUAL = 'audit.d.ts';
const MARKERS = [
  '<!-- node scripts/audit.mjs writes this table from lib/audit/events.js. -->\n',
  '<!-- End of the table. -->\n',
];

await main(async () => {
  const faults = differences(declaredEvents(read(MANUAL)));
  const page = read(PAGE);
  const written = withTable(page);
  if (!process.argv.includes('--check')) writeFileSync(path.join(root, PAGE), written);
  else if (page !== written) {
    faults.push(`${PAGE} is stale: run \`node scripts/audit.mjs\` and commit the result`);
  }
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) process.exitCode = 1;
});

function read(file) {
  return readFileSync(path.join(root, file), 'utf8');
}

function withTable(page) {
  const [from, to] = MARKERS.map((marker) => page.indexOf(marker));
  if (from < 0 || to < from) throw new Error(`${PAGE}: the markers of the table are missing`);
  const rows = Object.entries(EVENTS).map(([event, { when, outcome, members }]) => {
    const listed = members.map((member) => `\`${member}\``).join(', ');
    return `| \`${event}\` | ${when} | ${outcome ?? 'as given'} | ${listed} |\n`;
  });
  const table = `\n| event | when | outcome | other members |\n|---|---|---|---|\n${rows.join('')}\n`;
  return page.slice(0, from + MARKERS[0].length) + table + page.slice(to);
}

/**
 * The events that the manual declares, with the members of their interface. An interface that
 * stands for several events has the members of all of them.
 */
function declaredEvents(manual) {
  const found = new Map();
  for (const [, body] of manual.matchAll(/^export interface \w+ extends AuditEventBase \{\n([^]*?)^\}/gm)) {
    const events = [.../readonly event:([^;]*);/.exec(body)[1].matchAll(/'([\w.]+)'/g)];
    const members = [...body.matchAll(/^ {2}readonly (\w+\??):/gm)].map(([, name]) => name);
    for (const [, event] of events) {
      const own = members.filter((name) => !['event', 'outcome'].includes(name));
      found.set(event, { own, isAlone: events.length === 1 });
    }
  }
  return found;
}

function differences(declared) {
  const faults = [];
  for (const event of new Set([...Object.keys(EVENTS), ...declared.keys()])) {
    const [row, type] = [EVENTS[event], declared.get(event)];
    if (row === undefined || type === undefined) {
      faults.push(`${event} is missing in ${row === undefined ? 'lib/audit/events.js' : MANUAL}`);
      continue;
    }
    const bare = (name) => name.replace('?', '');
    const fits = type.isAlone
      ? String(row.members) === String(type.own)
      : row.members.every((name) => type.own.map(bare).includes(bare(name)));
    if (!fits) faults.push(`${MANUAL}: the members of ${event} are not those of lib/audit/events.js`);
  }
  return faults;
}
