// The rules for a native part: its machine, C library, exports, protections, and the list of its
// crates.

import { readFileSync } from 'node:fs';
import path from 'node:path';

import { installPython } from '../lib/locked.mjs';
import { checks } from '../lib/peers.mjs';
import { GLIBC } from '../lib/release-build.mjs';
import { root, run } from '../lib/run.mjs';

/** The newest macOS that a release may need: Node 20 needs it, too. */
const MACOS = '11.0';
const EXPORTS = ['napi_register_module_v1'];

const LIBRARIES = {
  gnu: /^(?:lib(?:c|m)\.so\.6|lib(?:dl|util)\.so\.2|libpthread\.so\.0|lib(?:rt|gcc_s)\.so\.1|ld-linux-(?:x86-64\.so\.2|aarch64\.so\.1))$/,
  musl: /^libc\.(?:so|musl-(?:x86_64|aarch64)\.so\.1)$/,
  // Not VCRUNTIME140.dll, which a Windows without Visual C++ lacks.
  msvc: /^(?:kernel32|advapi32|bcrypt|bcryptprimitives|crypt32|ntdll|userenv|ws2_32|api-ms-win-core-\S+)\.dll$/i,
  darwin: /^\/(?:usr\/lib|System\/Library)\//,
};

/**
 * Resolves to the faults of native parts, which are `{ file, platform, linked }` with a platform
 * such as `linux-x64-gnu` and, if they are in a package, the crates that its bill names as linked.
 * A fault says which file, and the rule that it breaks.
 */
export async function binaryFaults(binaries) {
  const facts = await binaryFacts(binaries.map(({ file }) => file));
  return binaries.flatMap(({ platform, linked }, index) =>
    rules(facts[index], platform, linked).map((fault) => `${platform}: ${fault}`),
  );
}

/** Resolves to the facts about native parts, by their paths. facts.py has the fields. */
export async function binaryFacts(files) {
  await installPython('checks', checks);
  const script = path.join(import.meta.dirname, 'facts.py');
  const env = { ...process.env, PYTHONPATH: checks };
  return JSON.parse(await run('python3', [script, ...files], { env, quiet: true }));
}

/** The rules that a file breaks. */
export function rules(facts, platform, linked = facts.crates) {
  const [system, machine, abi = system] = platform.split('-');
  const format = { linux: 'ELF', darwin: 'Mach-O', win32: 'PE' }[system];
  if (facts.format !== format) return [`the format is ${facts.format}, not ${format}`];
  // Of a file for several machines nothing else is known.
  if (facts.machine !== machine) return [`the machine is ${facts.machine}, not ${machine}`];
  const foreign = facts.libraries.filter((name) => !LIBRARIES[abi].test(name));
  const faults = [
    ...foreign.map((name) => `it needs ${name}, which is no part of ${abi}`),
    facts.exports.join() !== EXPORTS.join() && `it exports ${facts.exports}, not ${EXPORTS}`,
    !facts.nx && 'the stack is executable',
    facts.wx && 'a part of it can be written and executed',
    facts.rpath && 'it names folders in which its libraries are looked for first',
    !facts.stripped && 'it is not stripped',
    ...crateFaults(facts.crates, linked),
  ];
  const own = { ELF: elfFaults, PE: peFaults, 'Mach-O': machoFaults }[format];
  return [...faults, ...own(facts, abi)].filter(Boolean);
}

/**
 * Differences between the list in a file and its bill, which two programs have made. The list may
 * name more: cargo-auditable also lists crates that only features of the tests ask for.
 */
function crateFaults(listed, linked) {
  if (!listed) return ['it has no list of its crates: cargo-auditable did not link it'];
  const locked = lockedCrates();
  return [
    ...linked.filter((each) => !listed.includes(each)).map((each) => `its list lacks ${each}`),
    ...listed.filter((each) => !locked.has(each)).map((each) => `it lists ${each}, which Cargo.lock lacks`),
  ];
}

/** The crates of Cargo.lock, as `name version`. */
function lockedCrates() {
  const lock = readFileSync(path.join(root, 'Cargo.lock'), 'utf8');
  const entries = lock.matchAll(/^name = "(.+)"\nversion = "(.+)"$/gm);
  return new Set([...entries].map(([, name, version]) => `${name} ${version}`));
}

function elfFaults({ libraries, versions, relro, textrel }, abi) {
  const libc = abi === 'gnu' ? 'libc.so.6' : 'libc.so';
  const newest = newestGlibc(versions);
  return [
    !libraries.some((name) => name === libc || (abi === 'musl' && LIBRARIES.musl.test(name))) &&
      `it does not need ${libc}`,
    newest && abi === 'gnu' && compareVersions(newest, GLIBC) > 0 &&
      `it needs glibc ${newest}, and may need ${GLIBC} at most`,
    !relro && 'it has no full RELRO',
    textrel && 'it has text relocations',
  ];
}

/** The newest glibc among the versions of symbols, if there is one. */
export function newestGlibc(versions) {
  const glibc = versions.map((name) => /^GLIBC_([\d.]+)$/.exec(name)?.[1]).filter(Boolean);
  return glibc.sort(compareVersions).at(-1);
}

function peFaults({ aslr }) {
  return [!aslr && 'its address is not random in 64 bits'];
}

function machoFaults({ machine, signed, system }) {
  return [
    compareVersions(system, MACOS) > 0 && `it needs macOS ${system}, and may need ${MACOS} at most`,
    machine === 'arm64' && !signed && 'it has no signature, without which macOS does not load it',
  ];
}

function compareVersions(one, other) {
  const [ones, others] = [one, other].map((version) => version.split('.').map(Number));
  const index = ones.findIndex((number, at) => number !== (others[at] ?? 0));
  return index === -1 ? ones.length - others.length : ones[index] - (others[index] ?? 0);
}
