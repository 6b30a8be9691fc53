'use strict';

const { pairsOf } = require('./replies.js');

/**
 * The policy by which a server drops names when its memory is full; undefined if it does not tell.
 * `command(...args)` sends a command.
 */
async function evictionPolicy(command) {
  try {
    const pairs = pairsOf(await command('CONFIG', 'GET', 'maxmemory-policy'));
    if (pairs.length > 0) return `${pairs[0][1]}`;
  } catch {
    // Managed servers refuse CONFIG.
  }
  try {
    const info = `${await command('INFO', 'memory')}`;
    return /^maxmemory_policy:(\S+)/m.exec(info)?.[1];
  } catch {
    return undefined;
  }
}

module.exports = { evictionPolicy };
