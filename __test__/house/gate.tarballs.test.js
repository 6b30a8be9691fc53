'use strict';

// The rules of `npm run gate` for tarballs, each of which a tarball here breaks, and the order in
// which they are published.

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, test } = require('node:test');

const { Project, checkout } = require('../helpers/project.js');

const project = new Project();
const dist = path.join(project.folder, 'dist');
const LINUX = { skip: process.platform !== 'linux' && 'the options are those of GNU tar' };
const HERE = `${process.platform}-${process.arch}-gnu`;
let gate;

before(async () => {
  const names = ['gate/contents', 'gate/packages', 'lib/sums'];
  const parts = names.map((name) => import(`../../scripts/${name}.mjs`));
  gate = Object.assign({}, ...(await Promise.all(parts)));
  const { status, stderr } = project.node(path.join(checkout, 'scripts', 'pack.mjs'), dist);
  assert.equal(status, 0, stderr);
});
after(() => project.remove());

/** The packed tarballs, each changed by a function that gets it and its name. */
async function changed(change = (each) => each) {
  const folder = fs.mkdtempSync(path.join(project.folder, 'opened-'));
  const packages = await gate.openPackages(dist, folder);
  return packages.map((each) => ({ ...each, ...change(each) }));
}

test('tarballs as pack:all makes them have no fault', async () => {
  assert.deepEqual(gate.packageFaults(await changed(), { release: false }), []);
  assert.deepEqual(gate.sumFaults(dist), []);
});

const isPlatform = ({ platform }) => platform !== undefined;
const CHANGES = [
  [
    'an install script',
    ({ manifest }) => ({ manifest: { ...manifest, scripts: { postinstall: 'node x.js' } } }),
    ['"scripts" is not that', '"scripts" is not that'],
  ],
  [
    'a dependency',
    ({ manifest }) => ({ manifest: { ...manifest, dependencies: { 'left-pad': '1.3.0' } } }),
    ['"dependencies" is not that', '"dependencies" is not that'],
  ],
  [
    'another version',
    ({ manifest, ...each }) => isPlatform(each) && { manifest: { ...manifest, version: '9.9.9' } },
    ['its file is', '"version" is not that', 'sbom.cdx.json does not describe'],
  ],
  ['no bill', ({ files }) => ({ files: files.filter((name) => !/^sbom/.test(name)) }), [
    'it lacks sbom.cdx.json', 'it has LICENSE', 'it lacks sbom.cdx.json',
  ]],
  [
    'a bill of another binary',
    (each) => isPlatform(each) && { file: path.join(each.folder, 'README.md') },
    ['sbom.cdx.json has the hash of another native part'],
  ],
  [
    'another file',
    (each) => isPlatform(each) && { files: [...each.files, 'install.js'] },
    ['it has LICENSE'],
  ],
  [
    'a native part in the root',
    (each) => !isPlatform(each) && { files: [...each.files, 'x.node'] },
    ['it has the native part x.node'],
  ],
];
for (const [name, change, expected] of CHANGES) {
  test(`tarballs with ${name} are refused`, async () => {
    const faults = gate.packageFaults(await changed(change), { release: false });
    assert.equal(faults.length, expected.length, faults.join('\n'));
    faults.forEach((fault, index) => assert.ok(fault.includes(expected[index]), fault));
  });
}

test('a release with fewer platforms than there are is refused', async () => {
  const [root, platform] = await changed();
  const faults = gate.packageFaults([root, platform], { release: true });
  assert.match(faults.join('\n'), /^a release has darwin-arm64, .*; here are \S+$/m);
  assert.deepEqual(gate.packageFaults([platform], { release: false }), [
    'there are 0 tarballs of @nodesec/native, not one',
  ]);
});

test('a tarball whose hash is not in SHA256SUMS, and a hash without a tarball, are refused', () => {
  const folder = path.join(project.folder, 'sums');
  fs.cpSync(dist, folder, { recursive: true });
  const [tarball, other] = fs.readdirSync(folder).filter((name) => name.endsWith('.tgz'));
  fs.appendFileSync(path.join(folder, tarball), 'x');
  assert.deepEqual(gate.sumFaults(folder), [`${tarball}: SHA256SUMS does not list this hash`]);
  fs.rmSync(path.join(folder, tarball));
  assert.deepEqual(gate.sumFaults(folder), [`SHA256SUMS lists ${tarball}, which is not there`]);
  fs.rmSync(path.join(folder, 'SHA256SUMS'));
  assert.deepEqual(gate.sumFaults(folder), ['there is no SHA256SUMS']);
  assert.ok(other);
});

test('a SHA256SUMS in another form is refused, and one that lists a tarball twice', () => {
  const folder = path.join(project.folder, 'forms');
  fs.cpSync(dist, folder, { recursive: true });
  const file = path.join(folder, 'SHA256SUMS');
  const good = fs.readFileSync(file, 'utf8');
  const [first] = good.split('\n');
  const name = first.slice(66);
  for (const [text, expected] of [
    [good.toUpperCase(), /no hash of a tarball/],
    [good.replaceAll('\n', '\r\n'), /no hash of a tarball/],
    [good.replace('  ', ' *'), /no hash of a tarball/],
    [`${good}${first}/../other.tgz\n`, /no hash of a tarball/],
    [`# a comment\n${good}`, /no hash of a tarball: # a comment/],
    [`${'0'.repeat(64)}  ${name}\n${good}`, new RegExp(`lists ${name} twice`)],
    ['', /does not list this hash/],
  ]) {
    fs.writeFileSync(file, text);
    assert.match(gate.sumFaults(folder).join('\n'), expected);
  }
});

/** A tarball of this platform's package, or the root's, made anew after a change of its folder. */
async function repacked(name, change, more = () => []) {
  const source = fs.mkdtempSync(path.join(project.folder, 'repacked-'));
  const [tarball] = fs.readdirSync(dist).filter((each) => new RegExp(`^nodesec-native-${name}`).test(each));
  execFileSync('tar', ['--extract', '--file', path.join(dist, tarball), '--directory', source]);
  change(path.join(source, 'package'), source);
  const folder = fs.mkdtempSync(path.join(project.folder, 'tarballs-'));
  const options = ['--create', '--gzip', '--file', path.join(folder, tarball), '--directory', source];
  // Files only, as npm packs them.
  const files = fs
    .readdirSync(source, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(source, path.join(entry.parentPath, entry.name)));
  execFileSync('tar', [...options, '--absolute-names', ...files, ...more(source)], { stdio: 'pipe' });
  const opened = fs.mkdtempSync(path.join(project.folder, 'opened-'));
  return { folder, opened: () => gate.openPackages(folder, opened) };
}

const NO_FILE = 'an entry is no regular file below package/';
const ENTRIES = {
  'a link': [
    `${NO_FILE}: l`, (folder) => fs.symlinkSync('/etc/passwd', path.join(folder, 'lib', 'link.js')),
  ],
  'a hard link': [
    `${NO_FILE}: h`, (folder) => fs.linkSync(path.join(folder, 'index.js'), path.join(folder, 'more.js')),
  ],
  'a folder': [`${NO_FILE}: d`, (folder) => fs.mkdirSync(path.join(folder, 'empty')), () => ['package/empty']],
  'a file beside package/, which npm installs as well': [
    NO_FILE,
    (_, source) => {
      fs.mkdirSync(path.join(source, 'other'));
      fs.writeFileSync(path.join(source, 'other', 'binding.gyp'), '{}');
    },
  ],
  'an absolute path': [NO_FILE, () => {}, (source) => [path.join(source, 'package', 'index.js')]],
  'a name that leads upwards': [
    NO_FILE, () => {}, () => ['--transform', 's,^package/index.js,package/../../evil.js,'],
  ],
  'two files of one name': ['an entry is there twice: index.js', () => {}, () => ['package/index.js', '--hard-dereference']],
  'two files whose names differ in case': [
    'an entry is there twice: ', (folder) => fs.writeFileSync(path.join(folder, 'INDEX.js'), ''),
  ],
  'a hidden file': [NO_FILE, (folder) => fs.writeFileSync(path.join(folder, '.npmrc'), '')],
};
for (const [what, [expected, change, more]] of Object.entries(ENTRIES)) {
  test(`a tarball with ${what} is refused before it is unpacked`, LINUX, async () => {
    const { opened } = await repacked('\\d', change, more);
    await assert.rejects(opened(), ({ message }) => message.includes(`.tgz: ${expected}`));
    assert.ok(!fs.existsSync(path.join(project.folder, 'evil.js')));
  });
}

/** The faults of the contents of a package that was changed and packed again. */
async function contentFaults(name, change) {
  const { opened } = await repacked(name, change);
  const packages = await opened();
  return gate.contentFaults(packages, fs.mkdtempSync(path.join(project.folder, 'wanted-')), {});
}

test('tarballs whose files are not those of the checkout are refused', LINUX, async () => {
  const platform = `${process.platform}-${process.arch}`;
  const packages = await changed();
  const wanted = fs.mkdtempSync(path.join(project.folder, 'wanted-'));
  assert.deepEqual(await gate.contentFaults(packages, wanted, {}), []);
  const append = (file) => (folder) => fs.appendFileSync(path.join(folder, file), '\n');
  for (const [name, change, expected] of [
    ['\\d', append('lib/load.js'), 'lib/load.js is missing or differs'],
    ['\\d', append('README.md'), 'README.md is missing or differs'],
    ['\\d', (folder) => fs.writeFileSync(path.join(folder, 'binding.gyp'), '{}'), 'it has binding.gyp, which'],
    ['\\d', (folder) => fs.rmSync(path.join(folder, 'docs', 'audit.md')), 'docs/audit.md is missing'],
    [platform, append('README.md'), 'README.md is missing or differs'],
    [platform, (folder) => {
      const file = path.join(folder, 'sbom.cdx.json');
      const bill = JSON.parse(fs.readFileSync(file));
      bill.components = bill.components.filter(({ purl }) => !purl?.startsWith('pkg:cargo/'));
      fs.writeFileSync(file, JSON.stringify(bill, null, 2));
    }, 'sbom.cdx.json is missing or differs'],
  ]) {
    const faults = await contentFaults(name, change);
    // Alone, the root names no platform.
    const others = faults.filter((fault) => !/: (?:package|sbom\.cdx)\.json is/.test(fault));
    const found = expected.startsWith('sbom') ? faults : others;
    assert.equal(found.length, 1, `${expected}\n${faults.join('\n')}`);
    assert.ok(found[0].includes(expected), found[0]);
  }
});

test('a tarball whose file has the name of another package is refused', async () => {
  const wrong = await changed((each) => isPlatform(each) && { tarball: 'nodesec-native-0.0.0.tgz' });
  const faults = gate.packageFaults(wrong, { release: false });
  assert.equal(faults.length, 1);
  assert.match(faults[0], /its file is nodesec-native-0\.0\.0\.tgz, not nodesec-native-\w+-\w+-\w+-/);
});

test('a bill or a manifest that is no JSON, or lacks its components, is named', LINUX, async () => {
  const platform = `${process.platform}-${process.arch}`;
  for (const [file, text] of [['package.json', '{'], ['sbom.cdx.json', ''], ['package.json', undefined]]) {
    const { opened } = await repacked(platform, (folder) => {
      if (text === undefined) fs.rmSync(path.join(folder, file));
      else fs.writeFileSync(path.join(folder, file), text);
    });
    await assert.rejects(opened(), new RegExp(`/package/${file.replaceAll('.', '\\.')} is missing or is no JSON`));
  }
  const { opened } = await repacked(platform, (folder) =>
    fs.writeFileSync(path.join(folder, 'sbom.cdx.json'), 'null'),
  );
  assert.deepEqual((await opened())[0].linked, []);
});

test('a tag of another version, or of one without a changelog, is refused', () => {
  assert.deepEqual(gate.versionFaults(), []);
  const faults = gate.versionFaults('v9.9.9');
  assert.match(faults[0], /^the tag has the version 9\.9\.9, package\.json \d/);
});

test('npm run gate names each fault and ends with status 1', () => {
  const script = path.join(checkout, 'scripts', 'gate.mjs');
  const { status, stdout, stderr } = project.node(script, '--release', '--tag', 'v9.9.9', dist);
  assert.deepEqual([status, stdout], [1, '']);
  assert.match(stderr, /^a release has /m);
  assert.match(stderr, /^the tag has the version 9\.9\.9/m);
});

test('publishing goes through the platforms first, and refuses tarballs that SHA256SUMS lacks', () => {
  const script = path.join(checkout, 'scripts', 'publish.mjs');
  const { status, stdout, stderr } = project.node(script, '--dry-run', dist);
  assert.equal(status, 0, stderr);
  const staged = [...stdout.matchAll(/^\+ @nodesec\/(\S+)@\S+ \(staged\)$/gm)].map(([, name]) => name);
  assert.deepEqual(staged, [`native-${HERE}`, 'native']);
  const foreign = path.join(project.folder, 'foreign');
  fs.cpSync(dist, foreign, { recursive: true });
  fs.writeFileSync(path.join(foreign, 'another-1.0.0.tgz'), '');
  const sum = gate.sha256(path.join(foreign, 'another-1.0.0.tgz'));
  fs.appendFileSync(path.join(foreign, 'SHA256SUMS'), `${sum}  another-1.0.0.tgz\n`);
  const unknown = project.node(script, '--dry-run', foreign);
  assert.deepEqual([unknown.status, unknown.stdout], [1, '']);
  assert.match(unknown.stderr, /^another-1\.0\.0\.tgz is no package of this one$/m);
  fs.appendFileSync(path.join(dist, 'SHA256SUMS'), `${'0'.repeat(64)}  other.tgz\n`);
  const refused = project.node(script, '--dry-run', dist);
  assert.deepEqual([refused.status, refused.stdout], [1, '']);
  assert.match(refused.stderr, /SHA256SUMS lists other\.tgz, which is not there/);
});
