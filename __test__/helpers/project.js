'use strict';

// A project outside the checkout, in which the package is installed or laid out.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const checkout = path.join(__dirname, '..', '..');

class Project {
  constructor() {
    // Use the real path: Node's permission model compares real paths, and the temporary folder of
    // macOS is behind a symbolic link.
    this.folder = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), 'nodesec-project-'));
    this.write('package.json', '{ "private": true }');
  }

  write(name, text) {
    const file = path.join(this.folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text);
    return file;
  }

  /** Copies the root package into the project and sets its version, if one is given. */
  addRoot(version) {
    const target = path.join(this.folder, 'node_modules', '@nodesec', 'native');
    for (const name of ['argon2.js', 'audit.js', 'index.js', 'lib', 'package.json']) {
      fs.cpSync(path.join(checkout, name), path.join(target, name), { recursive: true });
    }
    if (version === undefined) return;
    const file = path.join(target, 'package.json');
    fs.writeFileSync(file, JSON.stringify({ ...JSON.parse(fs.readFileSync(file)), version }));
  }

  /**
   * Copies the package of this platform into the project. Resolves to the path of its native part.
   */
  async addPlatform() {
    const { builtBinary } = await import('../../scripts/lib/ensure.mjs');
    const source = path.dirname(builtBinary());
    const scope = path.join(this.folder, 'node_modules', '@nodesec');
    const target = path.join(scope, `native-${path.basename(source)}`);
    fs.cpSync(source, target, { recursive: true });
    return path.join(target, path.basename(builtBinary()));
  }

  /** Runs Node in the project. */
  node(...args) {
    const options = { cwd: this.folder, encoding: 'utf8' };
    const { status, stdout, stderr } = spawnSync(process.execPath, args, options);
    return { status, stdout, stderr };
  }

  remove() {
    fs.rmSync(this.folder, { recursive: true });
  }
}

module.exports = { Project, checkout };
