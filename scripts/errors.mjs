// Writes the tables of error codes from the rows of `codes!` in src/error.rs: docs/errors.md, the
// unions of codes in index.d.ts, and the statuses that the middleware answers.
//
//   node scripts/errors.mjs            writes all
//   node scripts/errors.mjs --check    fails if one is stale

import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

import { main, root } from './lib/run.mjs';

const { makeError } = createRequire(import.meta.url)('../lib/errors.js');

const MANUAL = 'index.d.ts';
const PAGE = 'docs/errors.md';
const STATUSES = 'lib/web/statuses.js';
const COLUMNS = 100;

const INTRODUCTION = `# Errors

<!-- node scripts/errors.mjs writes this page from src/error.rs. -->

Every error of this module is a \`NodesecError\` with a \`code\`. Codes are stable; messages may change.
A message says what to do and contains no secret, token, key or path. \`AbortError\`,
\`ArgumentError\` and the other classes below are subclasses.

Ordinary answers are values, not errors: a wrong password, an empty bucket, a refused token given to
\`tryVerify\`.

The last column is the HTTP status with which a service answers when the error reaches its error
handler. An \`ArgumentError\` is 500 because the service passed a wrong value. Check the values of a
request first, and answer 400: a password, a token and a key of a limiter must be a string of a
limited length (4096 bytes for a password) for which \`isWellFormed()\` is true. A refused token is
401 with a \`WWW-Authenticate\` header (RFC 6750 section 3): \`Bearer\` alone if there was no token,
\`Bearer error="invalid_token"\` for a refused one. With 503, send \`Retry-After\`: \`retryAfterMs\` of
the error in seconds, or a few seconds if it has none.
`;

const WARNINGS = `## Process warnings

Four conditions are reported once for each process, with \`process.emitWarning\`.

| code | when | what to do |
|---|---|---|
| \`NODESEC_ARGON2_ENGINE\` | The self-test of the Argon2 engine failed; the \`argon2\` crate computes hashes instead, slower. | Report it with the processor's name. |
| \`NODESEC_JWKS_HTTP\` | A \`RemoteJwks\` with \`allowInsecureHttp\` fetches keys over plain http: everyone on the path can replace them. | Use https. |
| \`NODESEC_SECRET_DEGRADED\` | Secret memory is not both locked and left out of dumps. | Raise \`RLIMIT_MEMLOCK\`, or see \`onDegraded\` and \`require\`. |
| \`NODESEC_STORE_FILESYSTEM\` | A store with \`allowFilesystem\` is on a file system that several machines may use. | Make sure that no other machine opens the directory, or use a local disk. |
`;

await main(async () => {
  const codes = readCodes();
  const written = {
    [PAGE]: page(codes),
    [MANUAL]: withUnions(read(MANUAL), codes),
    [STATUSES]: statuses(codes),
  };
  for (const [file, text] of Object.entries(written)) {
    if (!process.argv.includes('--check')) {
      writeFileSync(path.join(root, file), text);
    } else if (read(file) !== text) {
      console.error(`${file} is stale: run \`node scripts/errors.mjs\` and commit the result`);
      process.exitCode = 1;
    }
  }
});

function read(file) {
  return readFileSync(path.join(root, file), 'utf8');
}

/** The rows of `codes!`: `{ code, className, isRejection, when, remedy, status }`. */
function readCodes() {
  const source = read('src/error.rs');
  const table = /^codes! \{\n([^]*?)^\}/m.exec(source)[1];
  const refusals = rejectionVariants();
  const rows = [...table.matchAll(/((?: {4}\/\/\/.*\n)+) {4}(\w+) = "(\w+)",\n/g)];
  const count = table.match(/^ {4}\w+ = "/gm).length;
  if (rows.length !== count) throw new Error('src/error.rs: a code has no documentation');
  return rows.map(([, comment, variant, code]) => {
    const [when, remedy, ...others] = comment
      .replaceAll(/^ {4}\/\/\/ ?/gm, '')
      .trim()
      .split('\n\n')
      .map((paragraph) => paragraph.replaceAll('\n', ' '));
    const [, todo, status] = /^(.+) (?:HTTP (\d{3})|No HTTP status)\.$/.exec(remedy ?? '') ?? [];
    if (todo === undefined || others.length > 0) {
      throw new Error(`src/error.rs: ${code} needs two paragraphs, the second ending in its status`);
    }
    const className = makeError(code, '').constructor.name;
    return { code, className, isRejection: refusals.has(variant), when, remedy: todo, status };
  });
}

/** The codes with which a verifier refuses a token, as variants of `Code`. */
function rejectionVariants() {
  const source = read('src/jwt/token/rejection.rs');
  const table = /^rejections! \{\n([^]*?)^\}/m.exec(source)[1];
  const rows = [...table.matchAll(/^ {4}\w+ = \d+, (\w+),/gm)];
  // The rejections with details are no rows.
  return new Set(['JwtClaim', 'JwtMalformed', ...rows.map(([, variant]) => variant)]);
}

/** docs/errors.md. */
function page(codes) {
  const sections = byClass(codes).map(([className, rows]) => {
    const lines = rows.map(
      ({ code, when, remedy, status }) => `| \`${code}\` | ${when} | ${remedy} | ${status ?? '–'} |`,
    );
    return [
      `## ${className}`,
      '',
      '| code | when | what to do | HTTP |',
      '|---|---|---|---|',
      ...lines,
      '',
    ].join('\n');
  });
  return `${INTRODUCTION}\n${sections.join('\n')}\n${WARNINGS}`;
}

/** lib/web/statuses.js. */
function statuses(codes) {
  const rows = codes.filter(({ status = '500' }) => status !== '500');
  return `'use strict';

// node scripts/errors.mjs writes this file from src/error.rs.

/** By code: the HTTP status with which a service answers an error, unless it is 500. */
const STATUSES = new Map([
${rows.map(({ code, status }) => `  ['${code}', ${status}],\n`).join('')}]);

module.exports = { STATUSES };
`;
}

/** The manual, with the unions between the two markers replaced. */
function withUnions(manual, codes) {
  const [begin, end] = ['// node scripts/errors.mjs writes the unions below.\n', '// End of the unions.\n'];
  const [from, to] = [manual.indexOf(begin), manual.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${MANUAL}: the markers of the unions are missing`);
  return `${manual.slice(0, from + begin.length)}\n${unions(codes)}\n${manual.slice(to)}`;
}

function unions(codes) {
  const classes = byClass(codes);
  const named = classes.filter(([className]) => className !== 'NodesecError');
  const [, others] = classes.find(([className]) => className === 'NodesecError');
  const refusals = codes.filter(({ isRejection }) => isRejection);
  return [
    ...named.map(([className, rows]) =>
      union(`${className}Code`, `The codes of {@link ${className}}.`, rows),
    ),
    union('JwtRejectionCode', 'The codes with which a verifier refuses a token.', refusals, false),
    '/** Every code of this module. docs/errors.md has a remedy for each. */',
    'export type NodesecErrorCode =',
    ...others.flatMap(({ code, when }) => [comment(when), `  | '${code}'`]),
    `${named.map(([className]) => `  | ${className}Code`).join('\n')};\n`,
  ].join('\n');
}

function union(name, sentence, rows, isDocumented = true) {
  const members = rows.flatMap(({ code, when }) =>
    isDocumented ? [comment(when), `  | '${code}'`] : [`  | '${code}'`],
  );
  return `/** ${sentence} */\nexport type ${name} =\n${members.join('\n')};\n`;
}

/** A sentence as a comment of two columns' indentation. */
function comment(sentence) {
  const line = `  /** ${sentence} */`;
  if (line.length <= COLUMNS) return line;
  const lines = [''];
  for (const word of sentence.split(' ')) {
    if (lines.at(-1).length + 1 + word.length > COLUMNS - '   *'.length) lines.push('');
    lines[lines.length - 1] += ` ${word}`;
  }
  return ['  /**', ...lines.map((text) => `   *${text}`), '   */'].join('\n');
}

/** The codes by class, in the order in which the classes first occur. */
function byClass(codes) {
  const classes = new Map();
  for (const row of codes) {
    classes.set(row.className, [...(classes.get(row.className) ?? []), row]);
  }
  return [...classes];
}
