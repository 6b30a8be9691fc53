// Reads the edges between the files of a crate from the compiler. The compiler resolves names, so
// an edge leads to the file that defines an item, even if another file re-exports it.

import path from 'node:path';

import { start } from '../lib/run.mjs';
import { cargoEnv } from '../lib/toolchain.mjs';

/** A position in the crate's sources, as the compiler prints it. */
const SPAN = /^span: src\/([^:]+\.rs):(\d+):/;
/** An item of this crate, which the compiler numbers 0. Only brackets may follow it on the line. */
const OWN_ITEM = /DefId\(0:\d+ ~ \w+\[[0-9a-f]+\](?:::([^)]*))?\)/;
/** Kinds of names that are part of a path or a signature: they make no edge to a file. */
const NOT_TAKEN = new Set(['Mod', 'TyParam', 'ConstParam', 'LifetimeParam']);

/**
 * Resolves to the edges of the crate in `folder`, without its tests: `{ from, to, line, name }`,
 * with files relative to src/. Compiles the crate twice; dependencies that are compiled already are
 * not compiled again.
 */
export async function rustEdges(folder, files) {
  const edges = new Map();
  const fileOf = finder(files);
  const note = (at, item) => {
    const to = fileOf(item);
    if (to === undefined || to === at.file || !files.includes(at.file)) return;
    edges.set(`${at.file} ${to} ${at.line} ${item}`, { from: at.file, to, line: at.line, name: item });
  };
  await compile(folder, 'hir-tree', pathReader(note));
  await compile(folder, 'thir-tree', callReader(note));
  return [...edges.values()];
}

/**
 * Returns a function that finds the file of an item: the file of the innermost module that has a
 * file.
 */
function finder(files) {
  const modules = new Map(files.map((file) => [file.replace(/((^|\/)(mod|lib))?\.rs$/, ''), file]));
  return (item) => {
    const steps = item === '' ? [] : item.split('::');
    for (let depth = steps.length; depth >= 0; depth -= 1) {
      const file = modules.get(steps.slice(0, depth).join('/'));
      if (file !== undefined) return file;
    }
    return undefined;
  };
}

/** Reads resolved paths: a span, then `Def(`, the kind and the item, each on a line of its own. */
function pathReader(note) {
  let at;
  let kind;
  let step = 0;
  return (line) => {
    if (step === 1) {
      kind = line.replace(/,$/, '');
      step = 2;
    } else if (step === 2) {
      step = 0;
      const item = OWN_ITEM.exec(line);
      if (item && at && !NOT_TAKEN.has(kind)) note(at, item[1] ?? '');
    } else if (line === 'res: Def(' || line === 'Def(') {
      step = 1;
    } else if (line.startsWith('span: ')) {
      at = position(line);
    }
  };
}

/**
 * Reads calls of functions and methods, which are followed by their span, and constants, which are
 * preceded by theirs.
 */
function callReader(note) {
  let at;
  let called;
  let isConstant = false;
  return (line) => {
    if (line.startsWith('span: ')) {
      at = position(line);
      if (at && called !== undefined) note(at, called);
      called = undefined;
    } else if (line.startsWith('ty: ')) {
      called = line.startsWith('ty: FnDef(') ? OWN_ITEM.exec(line)?.[1] : undefined;
    } else if (isConstant) {
      isConstant = false;
      const item = OWN_ITEM.exec(line);
      if (item && at) note(at, item[1] ?? '');
    } else if (line === 'NamedConst {') {
      isConstant = true;
    }
  };
}

function position(line) {
  const span = SPAN.exec(line);
  return span ? { file: span[1], line: Number(span[2]) } : undefined;
}

/** Has the compiler print a tree, and passes each line to `read`, trimmed. */
function compile(folder, tree, read) {
  const args = ['rustc', '--release', '--locked', '--lib', '--', `-Zunpretty=${tree}`];
  // The wrapper allows unstable options for this crate only, so that compiled dependencies stay
  // valid.
  const wrapper = path.join(import.meta.dirname, 'rustc.mjs');
  const env = { ...cargoEnv(), RUSTC_WORKSPACE_WRAPPER: wrapper };
  return new Promise((resolve, reject) => {
    const cargo = start('cargo', args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let errors = '';
    let rest = '';
    cargo.stderr.setEncoding('utf8').on('data', (text) => {
      errors += text;
    });
    cargo.stdout.setEncoding('latin1').on('data', (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      for (const line of lines) read(line.trim());
    });
    cargo.on('error', reject);
    cargo.on('close', (status) => {
      if (status === 0) resolve();
      else reject(new Error(`cargo rustc ended with status ${status}\n${errors}`));
    });
  });
}
