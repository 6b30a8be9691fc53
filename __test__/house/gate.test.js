'use strict';

// The rules of `npm run gate` for native parts: for each there is one that breaks it.

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, test } = require('node:test');
const zlib = require('node:zlib');

const { Project, checkout } = require('../helpers/project.js');

const project = new Project();
const LINUX = { skip: process.platform !== 'linux' && 'gcc makes binaries of Linux' };
const HERE = `${process.platform}-${process.arch}-gnu`;
let gate;

before(async () => {
  gate = await import('../../scripts/gate/binary.mjs');
});
after(() => project.remove());

const faultsOf = (file, platform) => gate.binaryFaults([{ file, platform }]);

const SOURCE = `
  int getpid(void);
  int napi_register_module_v1(void) { return getpid(); }
`;
/** The versions of crates in Cargo.lock. */
const LOCKED = new Map(
  [...fs.readFileSync(path.join(checkout, 'Cargo.lock'), 'utf8').matchAll(/^name = "(.+)"\nversion = "(.+)"$/gm)]
    .map(([, name, version]) => [name, version]),
);

/** A list of linked crates, as cargo-auditable puts it into a binary. */
const listOf = (crates) => zlib.deflateSync(JSON.stringify({
  packages: [
    { name: 'nodesec-native', version: '1.0.0', source: 'local', root: true },
    { name: 'not-linked', version: '1.0.0', source: 'crates.io', kind: 'build' },
    ...crates.map(([name, version]) => ({ name, version, source: 'crates.io' })),
  ],
}));

/** Links a small library as a release is linked, and with more flags. */
function link(name, { source = SOURCE, stripped = true, flags = [], list = listOf([]) } = {}) {
  const assembly = list && `__asm__(".pushsection .dep-v0, \\"a\\"\\n.byte ${[...list]}\\n.popsection");`;
  const output = path.join(project.folder, `${name}.node`);
  const input = project.write(`${name}.c`, `${source}\n${assembly ?? ''}`);
  const strict = ['-Wl,-z,relro,-z,now,-z,noexecstack', '-Wl,--no-as-needed'];
  const options = ['-shared', '-fPIC', '-O2', ...(stripped ? ['-s'] : []), ...strict];
  execFileSync('gcc', [...options, '-o', output, input, ...flags]);
  return output;
}

test('a native part that keeps every rule has no fault', LINUX, async () => {
  assert.deepEqual(await faultsOf(link('good'), HERE), []);
});

const BROKEN = {
  'partial RELRO': [{ flags: ['-Wl,-z,lazy'] }, [/: it has no full RELRO$/]],
  'no RELRO': [{ flags: ['-Wl,-z,norelro'] }, [/: it has no full RELRO$/]],
  'an executable stack': [{ flags: ['-Wl,-z,execstack'] }, [/: the stack is executable$/]],
  symbols: [{ stripped: false }, [/: it is not stripped$/]],
  'a relocation in its code': [
    { source: `${SOURCE}__asm__(".text\\n.quad napi_register_module_v1");`, flags: ['-Wl,-z,notext'] },
    [/: it has text relocations$/],
  ],
  'a folder for its libraries': [
    { flags: ['-Wl,-rpath,/tmp'] }, [/: it names folders in which its libraries are looked for first$/],
  ],
  'code that can be written': [
    { source: `${SOURCE}__asm__(".pushsection .code, \\"awx\\"\\n.byte 0\\n.popsection");` },
    [/: a part of it can be written and executed$/],
  ],
  'another export': [
    { source: `${SOURCE} int sqlite3_open(void) { return 0; }` },
    [/: it exports napi_register_module_v1,sqlite3_open, not napi_register_module_v1$/],
  ],
  'no export': [{ source: 'int getpid(void);' }, [/: it exports , not napi_register_module_v1$/]],
  'a foreign library': [{ flags: ['-lresolv'] }, [/: it needs libresolv\.so\.2, which is no part of gnu$/]],
  'a newer glibc': [
    { source: 'int getentropy(void *, long); int napi_register_module_v1(void) { return getentropy(0, 0); }' },
    [/: it needs glibc 2\.25, and may need 2\.17 at most$/],
  ],
  'no list of its crates': [{ list: null }, [/: it has no list of its crates: cargo-auditable did not/]],
  'no C library': [
    { source: 'int napi_register_module_v1(void) { return 0; }', flags: ['-nostdlib'] },
    [/: it does not need libc\.so\.6$/],
  ],
};
for (const [name, [how, expected]] of Object.entries(BROKEN)) {
  test(`a native part with ${name} is refused`, LINUX, async () => {
    const faults = await faultsOf(link(name.replaceAll(' ', '-'), how), HERE);
    assert.equal(faults.length, expected.length, faults.join('\n'));
    faults.forEach((fault, index) => assert.match(fault, expected[index]));
  });
}

test('a list that lacks a crate of the bill, or has one that is not locked, is refused', LINUX, async () => {
  const platform = HERE;
  const listed = (...names) => link('list', { list: listOf(names.map((each) => each.split(' '))) });
  const [argon2, ring] = ['argon2', 'ring'].map((name) => `${name} ${LOCKED.get(name)}`);
  const faults = (file, ...linked) => gate.binaryFaults([{ file, platform, linked }]);
  assert.deepEqual(await faults(listed(argon2, ring), argon2), []);
  assert.deepEqual(await faults(listed(argon2), argon2, ring), [`${HERE}: its list lacks ${ring}`]);
  assert.deepEqual(await faults(listed(argon2, 'ring 0.0.1'), argon2), [
    `${HERE}: it lists ring 0.0.1, which Cargo.lock lacks`,
  ]);
});

test('a native part for another machine, system or C library is refused', LINUX, async () => {
  const other = process.arch === 'x64' ? 'arm64' : 'x64';
  const file = link('here');
  const faults = await gate.binaryFaults([
    { file, platform: `linux-${other}-gnu` },
    { file, platform: `win32-${process.arch}-msvc` },
    { file, platform: `linux-${process.arch}-musl` },
    { file: project.write('text.node', 'text'), platform: HERE },
  ]);
  assert.deepEqual(faults, [
    `linux-${other}-gnu: the machine is ${process.arch}, not ${other}`,
    `win32-${process.arch}-msvc: the format is ELF, not PE`,
    `linux-${process.arch}-musl: it needs libc.so.6, which is no part of musl`,
    `linux-${process.arch}-musl: it does not need libc.so`,
    `${HERE}: the format is unknown, not ELF`,
  ]);
});

test('binaries of Windows and macOS, which other packages bring, are read', async () => {
  const file = (name) => path.join(checkout, 'node_modules', ...name.split('/'));
  const sodium = (name) => file(`sodium-native/prebuilds/${name}/sodium-native.node`);
  const faults = await gate.binaryFaults([
    { file: file('bcrypt/prebuilds/win32-x64/bcrypt.node'), platform: 'win32-x64-msvc' },
    { file: file('bcrypt/prebuilds/win32-arm64/bcrypt.node'), platform: 'win32-x64-msvc' },
    { file: sodium('darwin-arm64'), platform: 'darwin-arm64' },
    { file: sodium('darwin-x64'), platform: 'darwin-arm64' },
    { file: sodium('linux-arm64'), platform: 'linux-x64-gnu' },
  ]);
  const short = faults.map((fault) => fault.replace(/(?<=exports ).*(?=, not)/, '…'));
  assert.deepEqual(short, [
    'win32-x64-msvc: it exports …, not napi_register_module_v1',
    'win32-x64-msvc: it has no list of its crates: cargo-auditable did not link it',
    'win32-x64-msvc: the machine is arm64, not x64',
    'darwin-arm64: it exports …, not napi_register_module_v1',
    'darwin-arm64: it has no list of its crates: cargo-auditable did not link it',
    'darwin-arm64: it needs macOS 12.0, and may need 11.0 at most',
    'darwin-arm64: the machine is x64, not arm64',
    'linux-x64-gnu: the machine is arm64, not x64',
  ]);
});

const GOOD = {
  crates: [], exports: ['napi_register_module_v1'], nx: true, rpath: false, stripped: true, wx: false,
};
const PE = { ...GOOD, format: 'PE', machine: 'x64', libraries: ['KERNEL32.dll'], aslr: true };
const MACHO = {
  ...GOOD, format: 'Mach-O', machine: 'arm64', libraries: ['/usr/lib/libSystem.B.dylib'],
  signed: true, system: '11.0',
};

test('each rule for Windows and macOS refuses a native part that breaks it', () => {
  const [windows, mac] = ['win32-x64-msvc', 'darwin-arm64'];
  for (const [facts, platform, expected] of [
    [PE, windows, []],
    [{ ...PE, aslr: false }, windows, ['its address is not random in 64 bits']],
    [{ ...PE, nx: false }, windows, ['the stack is executable']],
    [{ ...PE, libraries: ['VCRUNTIME140.dll'] }, windows, ['it needs VCRUNTIME140.dll, which is no part of msvc']],
    [{ ...PE, stripped: false }, windows, ['it is not stripped']],
    [{ ...PE, wx: true }, windows, ['a part of it can be written and executed']],
    [MACHO, mac, []],
    [{ ...MACHO, rpath: true }, mac, ['it names folders in which its libraries are looked for first']],
    [{ ...MACHO, system: '12.3' }, mac, ['it needs macOS 12.3, and may need 11.0 at most']],
    [{ ...MACHO, system: '10.12' }, mac, []],
    [{ ...MACHO, signed: false }, mac, ['it has no signature, without which macOS does not load it']],
    [{ ...MACHO, libraries: ['/opt/homebrew/lib/libz.dylib'] }, mac, ['it needs /opt/homebrew/lib/libz.dylib, which is no part of darwin']],
    [{ ...MACHO, machine: '2 machines' }, mac, ['the machine is 2 machines, not arm64']],
  ]) {
    assert.deepEqual(gate.rules(facts, platform), expected);
  }
});

test('the binary of this checkout keeps every rule but those of a release, as objdump reads it', LINUX, async () => {
  const { builtBinary } = await import('../../scripts/lib/ensure.mjs');
  const file = builtBinary();
  const objdump = (option) => execFileSync('objdump', [option, file], { encoding: 'utf8' });
  const minors = [...objdump('--dynamic-syms').matchAll(/GLIBC_2\.(\d+)/g)].map(([, minor]) => Number(minor));
  const newest = Math.max(...minors);
  assert.ok(newest > 0);
  const expected = [
    !/ \.dep-v0 /.test(objdump('--section-headers')) &&
      `${HERE}: it has no list of its crates: cargo-auditable did not link it`,
    newest > 17 && `${HERE}: it needs glibc 2.${newest}, and may need 2.17 at most`,
  ].filter(Boolean);
  assert.deepEqual(await faultsOf(file, HERE), expected);
});
