'use strict';

// Finds native parts that were not copied to their end. Linux maps such a file, and ends the
// process with SIGBUS when it reads beyond the end: no error could say why.

const { closeSync, fstatSync, openSync, readSync } = require('node:fs');

const HEADER = 64;
/** ELF of 64 bits, little-endian. */
const MAGIC = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1]);

/**
 * An error if an ELF file is shorter than its header says: the table of sections, which the header
 * places, comes last. Nothing for other files, and for those that cannot be read.
 */
function cutOff(file) {
  let descriptor;
  try {
    descriptor = openSync(file, 'r');
    const header = Buffer.alloc(HEADER);
    const length = readSync(descriptor, header, 0, HEADER, 0);
    if (length < HEADER || !MAGIC.equals(header.subarray(0, MAGIC.length))) return undefined;
    const [entries, entryBytes] = [header.readUInt16LE(60), header.readUInt16LE(58)];
    const whole = Number(header.readBigUInt64LE(40)) + entries * entryBytes;
    const { size } = fstatSync(descriptor);
    return size < whole ? new Error(`${file} has ${size} of ${whole} bytes`) : undefined;
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

module.exports = { cutOff };
