'use strict';

const assert = require('node:assert/strict');
const { existsSync, readFileSync, readdirSync, readlinkSync } = require('node:fs');

/** On Linux, checks that no file of a store is open or mapped in this process. */
function assertNoDescriptors(at) {
  assert.deepEqual([...openFiles(), ...mappings()].filter((line) => line.includes(at)), []);
}

/** The files that this process has open; none where the system does not say. */
function openFiles() {
  if (!existsSync('/proc/self/fd')) return [];
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      // The descriptor of the folder itself is closed again.
      return [];
    }
  });
}

/** The mappings of this process; none where the system does not say. */
function mappings() {
  return existsSync('/proc/self/maps') ? readFileSync('/proc/self/maps', 'utf8').split('\n') : [];
}

module.exports = { assertNoDescriptors, openFiles };
