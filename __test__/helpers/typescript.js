'use strict';

// Compiles snippets under strict TypeScript.

const { spawnSync } = require('node:child_process');
const { mkdirSync, mkdtempSync, writeFileSync } = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..', '..');
/** The compiler that the project uses. */
const TSC = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');

/** Packages of the guides that have no types of their own. */
const UNTYPED = ['bcrypt', 'jsonwebtoken'];
/** Node 24 has it, and the types of Node 20 do not. */
const ARGON2 = `declare module 'crypto' {
  function argon2(
    algorithm: string,
    parameters: object,
    callback: (error: Error | null, tag: Buffer) => void,
  ): void;
}
`;

/**
 * Compiles each snippet as a module of its own. Returns the folder, in which `js/N.mjs` is the
 * output of snippet N, and the complaints of the compiler.
 */
function compile(snippets, tsc = TSC) {
  // Inside the package, so that its own name resolves.
  mkdirSync(path.join(root, 'target'), { recursive: true });
  const folder = mkdtempSync(path.join(root, 'target', 'snippets-'));
  for (const [index, { code }] of snippets.entries()) {
    // A file without imports is a module as well.
    writeFileSync(path.join(folder, `${index}.mts`), `${code}export {};\n`);
  }
  const shims = UNTYPED.map((name) => `declare module '${name}';\n`).join('');
  writeFileSync(path.join(folder, 'untyped.d.ts'), shims + ARGON2);
  const config = {
    compilerOptions: {
      // TypeScript 5.4 knows these values as well.
      target: 'es2022',
      module: 'nodenext',
      lib: ['es2023', 'esnext.disposable'],
      types: ['node'],
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      outDir: 'js',
      rootDir: '.',
    },
    include: ['*.mts', '*.d.ts'],
  };
  writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify(config));
  const { stdout } = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' });
  return { folder, complaints: named(stdout, folder, snippets) };
}

/** The compiler's complaints, with the names of the snippets in place of files. */
function named(output, folder, snippets) {
  return output
    .replaceAll(`${path.relative(process.cwd(), folder)}${path.sep}`, '')
    .replaceAll(/^(\d+)\.mts/gm, (_, index) => snippets[index].name);
}

module.exports = { compile };
