// Checks the documentation:
//
// - links of Markdown lead to a file and a heading that exist, and name no block of code otherwise
//   than as one of LANGUAGES, since the tests run the `js` blocks;
// - in the manuals, such as index.d.ts, every export and every member has a doc comment, every
//   class has an `@example`, and `{@link …}` names a declaration;
// - docs/audit.md, docs/errors.md, docs/strictness.md and the unions of codes are not stale.
//
//   node scripts/docs.mjs           checks every file that git tracks
//   node scripts/docs.mjs file…     checks these files

import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { main, root, run } from './lib/run.mjs';

/** The tests run `js`, scripts/bundles.mjs runs `mjs`; in the others there is nothing to run. */
const LANGUAGES = ['js', 'mjs', 'rego', 'sh', 'sql', 'text'];

/** The manuals of the main entry and of the subpaths. */
const MANUALS = [
  'index.d.ts', 'argon2.d.ts', 'audit.d.ts', 'express.d.ts', 'fastify.d.ts', 'redis.d.ts', 'web.d.ts',
];

await main(async () => {
  const named = process.argv.slice(2);
  const files = named.length > 0 ? named : await trackedFiles();
  const found = files.flatMap((file) => {
    const text = readFileSync(path.resolve(root, file), 'utf8');
    return file.endsWith('.md') ? markdownFaults(file, text) : manualFaults(file, text);
  });
  for (const fault of found) console.error(fault);
  if (found.length > 0) process.exitCode = 1;
  else console.log(`Docs: ${files.length} files, links and doc comments are complete.`);
  if (named.length > 0) return;
  await run('node', ['scripts/audit.mjs', '--check']);
  await run('node', ['scripts/errors.mjs', '--check']);
  await run('node', ['scripts/strictness.mjs', '--check']);
});

async function trackedFiles() {
  const listed = await run('git', ['ls-files', '-z', '*.md', ...MANUALS], { quiet: true });
  return listed.split('\0').filter(Boolean);
}

function markdownFaults(file, text) {
  const faults = [];
  for (const [, language] of fences(text)) {
    if (!LANGUAGES.includes(language)) {
      faults.push(`${file}: a block of code is not of ${LANGUAGES.join(', ')}: "${language}"`);
    }
  }
  for (const [, target] of withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z]+:/.test(target)) continue;
    const [name, anchor] = target.split('#');
    const linked = name === '' ? path.resolve(root, file) : path.resolve(root, path.dirname(file), name);
    if (!existsSync(linked)) {
      faults.push(`${file}: the link to ${target} leads nowhere`);
    } else if (anchor !== undefined && !anchors(readFileSync(linked, 'utf8')).includes(anchor)) {
      faults.push(`${file}: there is no heading for the link to ${target}`);
    }
  }
  return faults;
}

/** The opening lines of blocks of code, with their languages. */
function fences(text) {
  return [...text.matchAll(/^ *(?:```|~~~)(.*)$/gm)].filter((_, index) => index % 2 === 0);
}

function withoutCode(text) {
  return withoutFences(text).replaceAll(/`[^`\n]*`/g, '');
}

/** The anchors that GitHub makes of the headings. */
function anchors(text) {
  return [...withoutFences(text).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function withoutFences(text) {
  return text.replaceAll(/^ *(```|~~~)[^]*?^ *\1$/gm, '');
}

/**
 * Faults of a manual, which is formatted: a declaration begins a line, its members two columns in.
 */
function manualFaults(file, text) {
  const faults = [];
  const names = new Set();
  let owner;
  let comment;
  let inComment = false;
  for (const [index, line] of text.split('\n').entries()) {
    const at = `${file}:${index + 1}:`;
    if (/^ *\/\*\*/.test(line)) [comment, inComment] = ['', true];
    if (inComment) {
      comment += `${line}\n`;
      inComment = !line.includes('*/');
      continue;
    }
    const [, kind, name] =
      /^export (?:declare )?(class|interface|type|const|function) (\w+)/.exec(line) ?? [];
    const member = /^ +(?:readonly |static )*(?:(\w+)\??[(:<]|\[Symbol\.\w+\]\()/.exec(line);
    if (name !== undefined) {
      // Of overloads the first one is documented.
      if (comment === undefined && !names.has(name)) faults.push(`${at} ${name} has no doc comment`);
      if (kind === 'class' && !comment?.includes('@example')) {
        faults.push(`${at} the class ${name} has no @example`);
      }
      names.add(name);
      owner = name;
    } else if (member !== null && isDeclared(line)) {
      const full = `${owner}.${member[1]}`;
      if (comment === undefined && !isEvident(line) && !names.has(full)) {
        faults.push(`${at} ${full} has no doc comment`);
      }
      names.add(full);
    }
    if (line.trim() !== '') comment = undefined;
  }
  for (const [, target] of text.matchAll(/\{@link ([^}\s]+)\}/g)) {
    if (!names.has(target)) faults.push(`${file}: {@link ${target}} names no declaration`);
  }
  return faults;
}

/** A member of a type, not a parameter of a function that takes several lines. */
function isDeclared(line) {
  return line.trimEnd().endsWith(';') || line.trimEnd().endsWith('{') || line.trimEnd().endsWith('(');
}

/**
 * A constructor that only takes documented options, or a member that narrows an error to its class
 * or an event to its kind.
 */
function isEvident(line) {
  return /^ +(?:(?:private )?constructor\(|readonly code: \w+Code;|readonly (?:event|outcome): [^A-Z]|static \[Symbol)/.test(line);
}
