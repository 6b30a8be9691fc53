'use strict';

// Looks for bytes in the memory of another process (proc_pid_mem(5)), all of it that is writable.

const { closeSync, openSync, readFileSync, readSync } = require('node:fs');

const CHUNK = 1 << 22;
/** A piece that nothing but the bytes themselves holds. */
const PIECE = 16;

/** Where pieces of `bytes` lie: `address name` of their mappings. */
function remnants(pid, bytes) {
  const pieces = [];
  for (let at = 0; at + PIECE <= bytes.length; at += PIECE) {
    pieces.push(bytes.subarray(at, at + PIECE));
  }
  const found = [];
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  const chunk = Buffer.alloc(CHUNK);
  for (const { start, end, name } of writable(pid)) {
    for (let at = start; at < end; at += CHUNK - PIECE) {
      const length = read(memory, chunk, Math.min(CHUNK, end - at), at);
      const lent = chunk.subarray(0, length);
      if (pieces.some((piece) => lent.includes(piece))) found.push(`${at.toString(16)} ${name}`);
    }
  }
  closeSync(memory);
  return found;
}

function writable(pid) {
  const lines = readFileSync(`/proc/${pid}/maps`, 'latin1').split('\n');
  return lines
    .map((line) => line.match(/^([0-9a-f]+)-([0-9a-f]+) .w\S+ \S+ \S+ \d+ *(.*)/))
    .filter((area) => area !== null)
    .map(([, start, end, name]) => ({ start: parseInt(start, 16), end: parseInt(end, 16), name }));
}

/** What cannot be read, such as secret memory, has nothing to be found. */
function read(memory, chunk, length, at) {
  try {
    return readSync(memory, chunk, 0, length, at);
  } catch (error) {
    if (error.code === 'EIO' || error.code === 'EFAULT') return 0;
    throw error;
  }
}

module.exports = { remnants };
