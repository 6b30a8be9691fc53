'use strict';

// The hardening of a process that the process does itself.

const { secureHeap } = require('@nodesec/native');
const { record } = require('@nodesec/native/audit');

/** At the start, before any secret is read. */
function hardenProcess() {
  secureHeap.configure({ maxBytes: 2 ** 22 });
  // No core dumps, and no debugger or reader of /proc/PID/mem that is not root's.
  secureHeap.hardenProcess({ dumpable: false, core: 0 });
}

/**
 * When the service listens: gives up permissions that only the start needs, for good. Node 24 and
 * later can; before, they stay. `folders` held what is now in memory.
 */
function dropPermissions(folders) {
  const { permission } = process;
  if (permission?.drop === undefined) return;
  // No further native part is loaded.
  permission.drop('addon');
  for (const folder of folders) {
    // The reference is that of the flag.
    permission.drop('fs.read', `${folder}/*`);
  }
  record('permissions.dropped');
}

module.exports = { dropPermissions, hardenProcess };
