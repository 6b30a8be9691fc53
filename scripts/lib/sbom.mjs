// The software bills of materials of the packages, as CycloneDX 1.6. The same sources and the same
// binary give the same bytes: there is no random serial number, and a time only if
// SOURCE_DATE_EPOCH sets it.

import cyclonedx from '@cyclonedx/cyclonedx-library';
import path from 'node:path';

import { cratesOf } from './crates.mjs';
import { sha256 } from './sums.mjs';

const { Enums, Models, Serialize, Spec } = cyclonedx;

/** The name of the file in each package. */
export const SBOM = 'sbom.cdx.json';

/** The bill of the root package: the platform packages, of which npm installs one. */
export function rootSbom(manifest) {
  const bom = bomOf(npmComponent(manifest));
  const platforms = { ...manifest.optionalDependencies, ...manifest.peerDependencies };
  for (const [name, version] of Object.entries(platforms)) {
    const scope = Enums.ComponentScope.Optional;
    const platform = npmComponent({ name, version, license: manifest.license }, { scope });
    bom.components.add(platform);
    bom.metadata.component.dependencies.add(platform.bomRef);
  }
  return serialized(bom);
}

/**
 * The bill of a platform package: its binary with its hash, the crates that are linked into it, the
 * C libraries that they contain, and, as excluded, the crates that only ran during the build.
 */
export async function platformSbom(manifest, binary, triple) {
  const bom = bomOf(npmComponent(manifest));
  const { crates, own } = await cratesOf(triple);
  const components = new Map(crates.map((crate) => [crate.id, crateComponent(crate)]));
  for (const { id, dependencies, bundled } of crates) {
    const component = components.get(id);
    bom.components.add(component);
    for (const each of dependencies) component.dependencies.add(components.get(each).bomRef);
    if (bundled === undefined) continue;
    const library = bundledComponent(bundled);
    bom.components.add(library);
    component.dependencies.add(library.bomRef);
  }
  const file = new Models.Component(Enums.ComponentType.File, path.basename(binary), {
    bomRef: path.basename(binary),
    hashes: new Models.HashDictionary([[Enums.HashAlgorithm['SHA-256'], sha256(binary)]]),
    version: manifest.version,
  });
  for (const id of own) file.dependencies.add(components.get(id).bomRef);
  bom.components.add(file);
  bom.metadata.component.dependencies.add(file.bomRef);
  return serialized(bom);
}

function bomOf(component) {
  const epoch = process.env.SOURCE_DATE_EPOCH;
  const timestamp = epoch === undefined ? undefined : new Date(Number(epoch) * 1000);
  return new Models.Bom({ metadata: new Models.Metadata({ component, timestamp }) });
}

function npmComponent({ name, version, license }, options = {}) {
  const [group, plain] = name.split('/');
  const purl = `pkg:npm/${encodeURIComponent(group)}/${plain}@${version}`;
  return library(plain, { group, version, purl, license, ...options });
}

function crateComponent({ name, version, license, checksum, repository, isLinked }) {
  const links = new Models.ExternalReferenceRepository();
  if (repository) {
    links.add(new Models.ExternalReference(repository, Enums.ExternalReferenceType.VCS));
  }
  return library(name, {
    version,
    purl: `pkg:cargo/${name}@${version}`,
    license,
    scope: isLinked ? Enums.ComponentScope.Required : Enums.ComponentScope.Excluded,
    hashes: new Models.HashDictionary([[Enums.HashAlgorithm['SHA-256'], checksum]]),
    externalReferences: links,
  });
}

function bundledComponent({ name, version, license, purl, cpe }) {
  return library(name, { version, purl, cpe, license, scope: Enums.ComponentScope.Required });
}

function library(name, { license, purl, ...options }) {
  const licenses = new Models.LicenseRepository([new Models.LicenseExpression(license)]);
  const type = Enums.ComponentType.Library;
  return new Models.Component(type, name, { bomRef: purl, licenses, purl, ...options });
}

function serialized(bom) {
  const factory = new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6);
  const serializer = new Serialize.JsonSerializer(factory);
  return `${serializer.serialize(bom, { sortLists: true, space: 2 })}\n`;
}
