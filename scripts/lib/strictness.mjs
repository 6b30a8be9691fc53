// Makes the text of docs/strictness.md.

const CRATE = 'the `jsonwebtoken` crate';
const ORDER = ['jsonwebtoken', 'jose', 'fast-jwt', CRATE, 'argon2', '@node-rs/argon2', 'bcrypt'];

const INTRODUCTION = `# Strictness

<!-- node scripts/strictness.mjs writes this page from the tables of the tests. -->

This package refuses some tokens, keys, passwords and options that other packages accept. Each row
says which of them accept it, why it is refused here, and what to do instead. The tests give every
row to this package and to the packages of the second column, so the page cannot go stale.

The packages are jsonwebtoken, jose and fast-jwt of npm, the \`jsonwebtoken\` crate of Rust, and
argon2, @node-rs/argon2 and bcrypt of npm, in the versions of package.json and Cargo.toml. A package
that is not named refuses it, or has no such input. \`unsafeDecode\` names the reason for which a
token is malformed.
`;

/**
 * The page, from the classes of jose's differences, the rows of the three other tables, the source
 * of the crate's classes and the guide.
 */
export function strictnessPage({ jose, TOKENS, KEYS, PASSWORDS, classes, guide }) {
  const tokens = tokenRows(jose, TOKENS, crateClasses(classes), acceptedRows(guide));
  const sections = [
    ['Tokens', tokens],
    ['Keys and options', KEYS],
    ['Passwords and digests', PASSWORDS],
  ].map(([title, rows]) => section(title, rows));
  return `${INTRODUCTION}\n${sections.join('\n')}`;
}

/** The rows about tokens, each with the packages that accept it. */
function tokenRows(jose, others, crate, accepted) {
  const rows = [
    ...jose.map((row) => ({ ...row, acceptedBy: ['jose', ...(crate.has(row.name) ? [CRATE] : [])] })),
    ...others.map((row) => ({ ...row, acceptedBy: row.crate ? [CRATE] : [] })),
  ];
  const names = new Set(rows.map(({ name }) => name));
  for (const name of crate) {
    if (!names.has(name)) throw new Error(`classes.rs: "${name}" has no row: add it to strictness.js`);
  }
  const listed = new Map();
  for (const row of rows) {
    if (row.crate && !crate.has(row.name)) throw new Error(`classes.rs has no class "${row.name}"`);
    for (const name of row.rows ?? []) {
      if (!accepted.has(name)) throw new Error(`docs/migrating.md has no refused row "${name}"`);
      if (listed.has(name)) throw new Error(`"${name}" belongs to two rows`);
      listed.set(name, row);
      row.acceptedBy.push(...accepted.get(name));
    }
  }
  for (const name of accepted.keys()) {
    if (!listed.has(name)) throw new Error(`docs/migrating.md: "${name}" has no row in strictness`);
  }
  return rows;
}

/** The names of the tokens that only we refuse, from classes.rs. */
function crateClasses(source) {
  const [, table] = /^pub\(super\) const STRICTER: [^=]*= \[\n([^]*?)^\];/m.exec(source);
  const names = [...table.matchAll(/^ {8}name: "(.*)",$/gm)].map(([, name]) => name);
  if (names.length !== table.match(/^ {4}Class \{/gm).length) throw new Error('classes.rs: no name');
  return new Set(names);
}

/** The rows of the guide's table that we refuse and others accept, with the others' names. */
function acceptedRows(guide) {
  const table = [...guide.matchAll(/^\| (.*) \| (.*) \| (.*) \| (.*) \| `ERR_\w+` \|$/gm)];
  if (table.length === 0) throw new Error('docs/migrating.md: there is no table of tokens');
  const packages = ['jsonwebtoken', 'jose', 'fast-jwt'];
  const rows = table.map(([, name, ...cells]) => [
    name,
    packages.filter((_, index) => cells[index] === 'accepts'),
  ]);
  return new Map(rows.filter(([, accepting]) => accepting.length > 0));
}

function section(title, rows) {
  const lines = rows.map(({ name, acceptedBy, because, todo }) => {
    for (const [what, text] of Object.entries({ because, todo })) {
      if (!/^[A-Z`].*[.]$/.test(text ?? '')) throw new Error(`"${name}" has no sentence as ${what}`);
    }
    if (acceptedBy.length === 0) throw new Error(`nobody accepts "${name}"`);
    const packages = ORDER.filter((known) => acceptedBy.includes(known));
    return `| ${name} | ${packages.join(', ')} | ${because} | ${todo} |`;
  });
  return [
    `## ${title}`,
    '',
    '| refused here | accepted by | why | what to do |',
    '|---|---|---|---|',
    ...lines,
    '',
  ].join('\n');
}
