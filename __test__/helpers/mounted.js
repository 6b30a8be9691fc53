'use strict';

// Disks for tests, in a namespace of the process that uses them.

const { mkdirSync, mkdtempSync, realpathSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');

const { missing } = require('./peers.js');
const { StoreProcess, unshare } = require('./store-process.js');

const MAKE_EXT4 = 'truncate -s 8M image && mkfs.ext4 -q image';
const MOUNT_EXT4 = 'mount -o loop image disk';

/** Has ext4 fail every access from now on: EXT4_IOC_SHUTDOWN without a flush of its log. */
const SHUT_DOWN = `
import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, struct.pack('I', 2))
`;

/** A folder for a mount, and a process in which a shell has mounted something there. */
async function mounted(t, mount, folder = makeFolder(t)) {
  const command = unshare(t, ['--mount']);
  if (command === undefined) return {};
  const disk = path.join(folder, 'disk');
  mkdirSync(disk, { recursive: true });
  const script = `cd "$0" && ${mount} && exec "$@"`;
  const service = new StoreProcess(t, { command: [...command, 'sh', '-e', '-c', script, folder] });
  await service.call('pid').catch(() => {});
  if (service.child.exitCode !== null) {
    missing(t, 'a mount', `run as root, where \`${mount}\` works`);
    return {};
  }
  return { service, folder, disk, at: path.join(disk, 'store') };
}

function makeFolder(t) {
  const folder = mkdtempSync(path.join(realpathSync(tmpdir()), 'nodesec-disk-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

module.exports = { MAKE_EXT4, MOUNT_EXT4, SHUT_DOWN, mounted };
