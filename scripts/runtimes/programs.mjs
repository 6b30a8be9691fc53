// The runtimes of scripts/peers.mjs, and the results of their test runners, which all write JUnit.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';

import { peers } from '../lib/peers.mjs';
import { outcome, root } from '../lib/run.mjs';

const workshop = path.join(root, 'target', 'runtimes');
const PATIENCE_MS = 300_000;
const { platform, arch } = process;
const libc = platform === 'linux' ? '-glibc' : '';

/** By name: the place of the program, and the arguments that write the results of a suite. */
export const RUNTIMES = {
  node22: node(22),
  node24: node(24),
  node26: node(26),
  bun: {
    file: ['@oven', `bun-${platform}-${arch === 'arm64' ? 'aarch64' : arch}`, 'bin', 'bun'],
    args: (suite, xml) => [
      'test', '--timeout', '120000', '--reporter=junit', `--reporter-outfile=${xml}`, suite,
    ],
  },
  deno: {
    file: ['@deno', `${platform}-${arch}${libc}`, 'deno'],
    args: (suite, xml) => ['test', '--allow-all', '--no-check', `--junit-path=${xml}`, suite],
  },
};

function node(major) {
  return {
    file: [`node${major}`, 'bin', 'node'],
    args: (suite, xml) => [
      '--test', '--test-reporter=junit', `--test-reporter-destination=${xml}`, suite,
    ],
  };
}

/** The name and version of a runtime. */
export function versionOf(name) {
  const { stdout } = spawnSync(programOf(name), ['--version'], { encoding: 'utf8' });
  const [version] = /\d+\.\d+\.\d+/.exec(stdout);
  return `${name.replace(/\d+$/, '')} ${version}`;
}

/**
 * Runs a suite. Resolves to the names of the tests that passed and failed, the number that were
 * skipped, and `ended` if the runner did not end as its results say.
 */
export async function runSuite(name, suite) {
  mkdirSync(workshop, { recursive: true });
  const xml = path.join(workshop, `${name}-${suite.replaceAll('/', '-')}.xml`);
  rmSync(xml, { force: true });
  const file = `./__test__/${suite}.test.js`;
  const env = { ...process.env, DENO_NO_UPDATE_CHECK: '1' };
  const options = { cwd: root, env, timeout: PATIENCE_MS };
  const { status, signal, stdout, stderr } = await outcome(programOf(name), RUNTIMES[name].args(file, xml), options);
  const results = existsSync(xml) ? readResults(readFileSync(xml, 'utf8')) : noResults();
  rmSync(xml, { force: true });
  const isConsistent = (status === 0) === (results.failed.length === 0);
  if (isConsistent && signal === null) return results;
  return { ...results, ended: `ended with ${signal ?? status}\n${`${stdout}${stderr}`.slice(-2000)}` };
}

function programOf(name) {
  const program = path.join(peers, 'node_modules', ...RUNTIMES[name].file);
  if (existsSync(program)) return program;
  throw new Error(`There is no ${program}: run \`node scripts/peers.mjs\``);
}

const noResults = () => ({ passed: [], failed: [], skipped: 0 });

/** Reads the cases of JUnit's XML. */
function readResults(xml) {
  const results = noResults();
  for (const [, attributes, end, body = ''] of xml.matchAll(CASE)) {
    const name = unescaped(/\bname="([^"]*)"/.exec(attributes)[1]);
    if (end !== '/' && /<(?:failure|error)\b/.test(body)) results.failed.push(name);
    else if (end !== '/' && /<skipped\b/.test(body)) results.skipped += 1;
    else results.passed.push(name);
  }
  return results;
}

const CASE = /<testcase\b((?:[^"/>]|"[^"]*")*)(?:(\/)>|>([^]*?)<\/testcase>)/g;

function unescaped(text) {
  const named = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };
  return text.replace(/&(#x[\da-f]+|#\d+|\w+);/gi, (_, name) => {
    if (name[0] !== '#') return named[name];
    return String.fromCodePoint(Number(name.replace('#x', '0x').replace('#', '')));
  });
}
