// `npm run bundles`: follows the recipes of docs/bundling.md with the packed tarballs. Each program
// then runs in a folder without node_modules and must do its work. A program that was built without
// the platform package must say so.
//
//   npm run bundles               every recipe
//   npm run bundles -- rollup     some recipes, by their titles

import {
  cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { builtBinary, ensureBuilt, ensureDependencies } from './lib/ensure.mjs';
import { nextPeers, peers, programFolders } from './lib/peers.mjs';
import { main, outcome, root, run, start as startProgram } from './lib/run.mjs';
import { chosen, commandLine } from './lib/usage.mjs';

/** The program that is bundled. */
const FILES = {
  'package.json': '{ "private": true }',
  'job.js': `'use strict';
const { JwtIssuer, JwtKey, JwtVerifier, hash } = require('@nodesec/native');
const { verify } = require('@nodesec/native/argon2');
module.exports = async () => {
  const digest = await hash('correct horse');
  const keys = await JwtKey.generate('ES256');
  const names = { keys, issuer: 'https://id.example', audience: 'api' };
  const token = new JwtIssuer({ ...names, expiresIn: '5m' }).sign({ sub: 'ada' });
  const { sub } = new JwtVerifier(names).verify(token);
  return JSON.stringify({ sub, verified: await verify(digest, 'correct horse') });
};
`,
  'app.js': `require('./job.js')().then(console.log);\n`,
  'app/route.js': `import job from '../job.js';
export const dynamic = 'force-dynamic';
export const GET = async () => new Response(await job());
`,
};
/** The packages of the bundlers that the recipes name. */
const PLUGINS = [
  '@rollup/plugin-commonjs', '@rollup/plugin-json', '@rollup/plugin-node-resolve', 'node-loader',
];
const ANSWER = '{"sub":"ada","verified":true}';
/** For a program that hangs. A busy machine takes minutes for `next build`. */
const PATIENCE_MS = 600_000;

/** The programs of the project, as `npx` finds them, then those of scripts/peers.mjs. */
const PATH = () => [
  path.join('node_modules', '.bin'),
  path.dirname(process.execPath),
  ...programFolders(),
  process.env.PATH,
].join(path.delimiter);
const SETTINGS = { HOSTNAME: '127.0.0.1', NEXT_TELEMETRY_DISABLED: '1', PORT: '0' };
/** The temporary folder, and the environment of the programs. */
let folder;
let env;

await main(async () => {
  const wanted = wantedRecipes();
  env = { ...process.env, ...SETTINGS, PATH: PATH() };
  await ensureDependencies();
  // It uses packages, which are there only now.
  const { pack } = await import('./lib/pack.mjs');
  await ensureBuilt();
  folder = mkdtempSync(path.join(os.tmpdir(), 'nodesec-bundles-'));
  try {
    const tarballs = await pack([builtBinary()], path.join(folder, 'tarballs'));
    const whole = await install('whole', tarballs);
    const bare = await install('bare', tarballs.slice(0, 1));
    for (const recipe of wanted) {
      const isServer = recipe.title === 'Next.js';
      const program = await build(recipe, whole);
      const answer = isServer ? await request(program) : await perform(program);
      if (answer.trim() !== ANSWER) throw new Error(`${recipe.title}: it answers\n${answer}`);
      console.log(`${recipe.title}: runs`);
      // Next.js runs the program while it builds.
      if (isServer) continue;
      const refusal = await perform(await build(recipe, bare));
      if (!refusal.includes('ERR_BINDING_MISSING')) {
        throw new Error(`${recipe.title}: without the platform package it answers\n${refusal}`);
      }
      console.log(`${recipe.title}: says that the platform package is missing`);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** Makes a project with the program and with the tarballs as its only packages. */
async function install(name, tarballs) {
  const project = path.join(folder, name);
  for (const [file, text] of Object.entries(FILES)) write(path.join(project, file), text);
  const flags = ['--ignore-scripts', '--offline', '--no-audit', '--no-fund', '--silent'];
  await run('npm', ['install', ...flags, ...tarballs], { cwd: project });
  return project;
}

function write(file, text) {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/**
 * The sections of docs/bundling.md: their files, the commands that build, and the last command,
 * which runs the program in `output`.
 */
function recipes() {
  const page = readFileSync(path.join(root, 'docs', 'bundling.md'), 'utf8');
  return page.split(/^## /m).slice(1).map((section) => {
    const [title] = section.split('\n');
    const files = [...section.matchAll(/`([\w.]+)`:\n\n```mjs\n([^]*?)```/g)];
    const commands = /```sh\n([^]*?)\n```/.exec(section)[1].split('\n');
    const start = commands.pop();
    const [output] = /(?:dist|\.next\/standalone)(?=\/)/.exec(start);
    return { title, files, commands, start, output };
  });
}

/** The recipes whose titles are arguments, or all of them. */
function wantedRecipes() {
  const { positionals } = commandLine({ allowPositionals: true });
  const all = recipes();
  const titles = chosen('recipe', positionals, all.map(({ title }) => title));
  return all.filter(({ title }) => titles.includes(title));
}

/** Follows a recipe in a copy of `project`. Moves the program to a folder without packages. */
async function build({ title, files, commands, start, output }, project) {
  const workshop = path.join(folder, 'workshop');
  const place = path.join(folder, 'place');
  for (const each of [workshop, place]) rmSync(each, { recursive: true, force: true });
  cpSync(project, workshop, { recursive: true });
  for (const [, name, text] of files) write(path.join(workshop, name), text);
  const modules = path.join(workshop, 'node_modules');
  if (title === 'Next.js') {
    // Turbopack does not follow links out of the project.
    const options = { recursive: true, verbatimSymlinks: true };
    cpSync(path.join(nextPeers, 'node_modules'), modules, options);
  } else {
    for (const name of PLUGINS) {
      mkdirSync(path.dirname(path.join(modules, name)), { recursive: true });
      symlinkSync(path.join(peers, 'node_modules', name), path.join(modules, name));
    }
  }
  for (const command of commands) {
    const { status, printed } = await execute(command.replace(/^npx /, ''), workshop);
    // Every user of the recipe would see its warnings.
    if (status !== 0 || /\bwarn/i.test(printed)) {
      throw new Error(`${title}: ${command}\n${printed}`);
    }
  }
  mkdirSync(path.dirname(path.join(place, output)), { recursive: true });
  renameSync(path.join(workshop, output), path.join(place, output));
  rmSync(workshop, { recursive: true });
  return { start, place };
}

/** Runs a program and resolves to everything that it prints. */
async function perform({ start, place }) {
  return (await execute(start, place)).printed;
}

/** Runs a command of a recipe, which are words only: no shell has to read it. */
async function execute(command, cwd) {
  const [program, ...args] = command.split(' ');
  const { status, stdout, stderr } = await outcome(program, args, { cwd, env, timeout: PATIENCE_MS });
  // A minified bundle is one line, which Node prints with an error.
  return { status, printed: (stdout + stderr).replaceAll(/^.{1000,}$/gm, '…') };
}

/** Starts a server and resolves to its answer. */
async function request({ start, place }) {
  const [program, ...args] = start.split(' ');
  const server = startProgram(program, args, { cwd: place, env, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((_, reject) => {
    server.on('error', reject);
    server.on('exit', (status) => reject(new Error(`${start} ended with ${status}`)));
  });
  try {
    const response = await Promise.race([ended, address(server).then((url) => fetch(url))]);
    return await response.text();
  } finally {
    ended.catch(() => {});
    server.kill();
  }
}

/** Resolves to the address that a server prints. */
async function address(server) {
  let printed = '';
  for await (const text of server.stdout.setEncoding('utf8')) {
    printed += text;
    const [url] = /http:\/\/(?:localhost|127\.0\.0\.1):\d+/.exec(printed) ?? [];
    if (url !== undefined && printed.includes('Ready')) return url;
  }
  throw new Error(`no address in:\n${printed}`);
}
