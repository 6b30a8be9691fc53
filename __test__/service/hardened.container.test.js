'use strict';

// The image and the manifests of examples/hardened-service. `npm run containers` has hadolint read
// the former; where Docker is, it builds it.

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const {
  mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync,
} = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');
const { test } = require('node:test');

const { loadAll } = require('js-yaml');

const EXAMPLE = path.join(__dirname, '..', '..', 'examples', 'hardened-service');
const CONTAINER = path.join(EXAMPLE, 'container');

const dockerfile = readFileSync(path.join(CONTAINER, 'Dockerfile'), 'utf8');
const entry = JSON.parse(/^ENTRYPOINT (.+)$/m.exec(dockerfile)[1]);
const documents = ['accounts', 'cluster', 'trail'].flatMap((name) => {
  return loadAll(readFileSync(path.join(EXAMPLE, 'kubernetes', `${name}.yaml`), 'utf8'));
});
const pods = documents.filter(({ kind }) => kind === 'StatefulSet').map(({ spec }) => spec.template.spec);

const nameOf = (flag) => flag.split('=')[0];

test('the image has the flags with which the platform of the example runs the services', async () => {
  const { flagsFor } = await import('../../examples/hardened-service/platform/flags.mjs');
  const known = new Set(flagsFor({ read: [], write: [''] }).map(nameOf));
  // Names differ between versions of Node; the image has 24.
  for (const other of ['--experimental-permission', '--allow-net']) known.delete(other);
  const given = new Set([...entry, ...pods.flatMap(({ containers }) => containers[0].args)].map(nameOf));
  for (const flag of known) assert.ok(given.has(flag), flag);
  assert.ok(given.has('--permission'));
});

test('the image is distroless, and its user has no rights and no code of its own', () => {
  const last = dockerfile.split(/^FROM /m).at(-1);
  assert.match(last, /^gcr\.io\/distroless\/nodejs24-debian12:nonroot\n/);
  assert.match(last, /^USER 65532:65532$/m);
  assert.match(last, /^COPY --from=packages --chown=0:0 \/app \/app$/m);
  assert.doesNotMatch(last, /^(RUN|ADD) /m);
  for (const line of dockerfile.matchAll(/npm"?,? "?(?:ci|install).*/g)) assert.match(line[0], /--ignore-scripts/);
});

test('the packages of the image are those of the tests, with hashes', () => {
  const root = JSON.parse(readFileSync(path.join(__dirname, '..', '..', 'package.json'), 'utf8'));
  const { dependencies } = JSON.parse(readFileSync(path.join(CONTAINER, 'package.json'), 'utf8'));
  for (const [name, version] of Object.entries(dependencies)) {
    assert.equal(version, root.devDependencies[name], name);
  }
  const { packages } = JSON.parse(readFileSync(path.join(CONTAINER, 'package-lock.json'), 'utf8'));
  for (const [name, { integrity }] of Object.entries(packages)) {
    if (name !== '') assert.match(integrity, /^sha512-/, name);
  }
});

test('every container is read-only, without rights, under seccomp and gVisor', () => {
  assert.equal(pods.length, 2);
  for (const pod of pods) {
    assert.equal(pod.runtimeClassName, 'gvisor');
    assert.equal(pod.automountServiceAccountToken, false);
    assert.equal(pod.securityContext.runAsNonRoot, true);
    assert.deepEqual(pod.securityContext.seccompProfile, { type: 'RuntimeDefault' });
    for (const { name, image, resources, securityContext } of [...pod.containers, ...(pod.initContainers ?? [])]) {
      assert.deepEqual(
        securityContext,
        { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] }, readOnlyRootFilesystem: true },
        name,
      );
      assert.match(image, /@sha256:[0-9a-f]{64}$/);
      assert.ok(resources.limits.memory);
    }
  }
});

test('a service may read and write its volumes only, and each folder is a volume', () => {
  for (const { containers: [{ args, volumeMounts }] } of pods) {
    const writable = volumeMounts.filter(({ readOnly }) => !readOnly).map(({ mountPath }) => mountPath);
    const mounts = volumeMounts.map(({ mountPath }) => mountPath);
    for (const arg of args) {
      const [, verb, folder] = /^--allow-fs-(read|write)=(.+)\/\*$/.exec(arg) ?? [];
      if (folder === undefined) continue;
      const volumes = verb === 'read' ? mounts : writable;
      assert.ok(volumes.some((mount) => folder.startsWith(mount)), arg);
    }
  }
});

test('no connection is allowed but those of the services', () => {
  const policies = documents.filter(({ kind }) => kind === 'NetworkPolicy');
  const nothing = policies.find(({ metadata }) => metadata.name === 'nothing').spec;
  assert.deepEqual(nothing, { podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
  const { ingress } = policies.find(({ metadata }) => metadata.name === 'trail').spec;
  assert.deepEqual(ingress, [
    { from: [{ podSelector: { matchLabels: { app: 'accounts' } } }], ports: [{ port: 8444 }] },
  ]);
});

test('the init container makes secrets that only their user may read', (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hardened-secrets-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [from, to] = ['from', 'to'].map((name) => path.join(folder, name));
  // As Kubernetes lays out a volume.
  mkdirSync(path.join(from, '..2026'), { recursive: true });
  writeFileSync(path.join(from, '..2026', 'pepper'), 'p'.repeat(32), { mode: 0o440 });
  symlinkSync('..2026', path.join(from, '..data'));
  symlinkSync(path.join('..data', 'pepper'), path.join(from, 'pepper'));
  mkdirSync(to);
  execFileSync(process.execPath, [path.join(CONTAINER, 'copy-secrets.js'), from, to]);
  assert.deepEqual(readdirSync(to), ['pepper']);
  assert.equal(statSync(path.join(to, 'pepper')).mode & 0o777, 0o600);
  assert.equal(readFileSync(path.join(to, 'pepper'), 'utf8'), 'p'.repeat(32));
});
