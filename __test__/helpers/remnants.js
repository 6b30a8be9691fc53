'use strict';

// Searches all writable memory of another process for bytes (proc_pid_mem(5),
// proc_pid_pagemap(5)).

const { closeSync, openSync, readFileSync, readSync } = require('node:fs');

const CHUNK = 1 << 22;
/** With another size of pages, tests would not find the secrets that they must find, and fail. */
const PAGE = 4096;
/** The bytes of an entry of /proc/<pid>/pagemap, and in its last byte "present" and "swapped". */
const [ENTRY, IN_USE] = [8, 0b1100_0000];
/** The length of a piece in bytes: so long that only the bytes themselves contain it. */
const PIECE = 16;

/**
 * Finds pieces of `bytes`. Returns `address name` for each chunk of a mapping that contains one.
 */
function remnants(pid, bytes) {
  const pieces = [];
  for (let at = 0; at + PIECE <= bytes.length; at += PIECE) {
    pieces.push(bytes.subarray(at, at + PIECE));
  }
  const found = [];
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  const chunk = Buffer.alloc(CHUNK);
  for (const { start, end, name } of inUse(pid, writable(pid))) {
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

/**
 * The parts of areas that have pages, in memory or swapped out. Some runtimes reserve gigabytes
 * that they never write to.
 */
function inUse(pid, areas) {
  const pagemap = openSync(`/proc/${pid}/pagemap`, 'r');
  const parts = [];
  for (const { start, end, name } of areas) {
    const entries = Buffer.alloc(((end - start) / PAGE) * ENTRY);
    const length = readSync(pagemap, entries, 0, entries.length, (start / PAGE) * ENTRY);
    for (let at = 0; at < length; at += ENTRY) {
      if ((entries[at + ENTRY - 1] & IN_USE) === 0) continue;
      const page = start + (at / ENTRY) * PAGE;
      const last = parts.at(-1);
      if (last?.end === page && last.name === name) last.end += PAGE;
      else parts.push({ start: page, end: page + PAGE, name });
    }
  }
  closeSync(pagemap);
  return parts;
}

/** Reads memory. Memory that cannot be read, such as secret memory, counts as empty. */
function read(memory, chunk, length, at) {
  try {
    return readSync(memory, chunk, 0, length, at);
  } catch (error) {
    if (error.code === 'EIO' || error.code === 'EFAULT') return 0;
    throw error;
  }
}

module.exports = { remnants };
