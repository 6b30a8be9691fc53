'use strict';

// A process that has a `StoreService`. Each line of its input is a call as JSON: a number, a name
// and arguments. It answers each by a line with the number and `value`, or `code` and `message`.

const { execFileSync } = require('node:child_process');
const { existsSync, rmSync, statfsSync, writeFileSync } = require('node:fs');
const path = require('node:path');
const { createInterface } = require('node:readline');

const { heard } = require('./heard.js');
const { StoreService, idsOf } = require('./store-service.js');

let service;

const calls = {
  async open(at, options) {
    service = await StoreService.open(at, options);
  },
  /** Opens the store, and answers with the events of the audit trail. */
  openHearing: (at, options) => heard(() => calls.open(at, options)),
  /** Adds the calls of another helper: those that its function makes for a store. */
  async load(file, ...args) {
    Object.assign(calls, await require(file)(service.store, ...args));
  },
  pid: () => process.pid,
  exists: existsSync,
  run: (program, ...args) => execFileSync(program, args, { encoding: 'utf8' }),
  /** Fills a disk except for some bytes, or wholly if the store writes meanwhile. */
  fill(folder, spared) {
    const { bavail, bsize } = statfsSync(folder);
    const bytes = Buffer.alloc(Math.max(bavail * bsize - spared, 0));
    try {
      writeFileSync(path.join(folder, 'filler'), bytes);
    } catch (error) {
      if (error.code !== 'ENOSPC') throw error;
    }
  },
  free: (folder) => rmSync(path.join(folder, 'filler')),
  /** Revokes sessions with many calls at a time, until the process ends. */
  revokeForever(name) {
    const next = async (at, count) => {
      await service.revoke(`${name}-${at}-${count}`);
      console.log(JSON.stringify({ revoked: `${name}-${at}-${count}` }));
      setImmediate(next, at, count + 1);
    };
    for (const at of idsOf('caller', 16)) next(at, 0);
  },
};

createInterface({ input: process.stdin }).on('line', async (line) => {
  const { number, name, args } = JSON.parse(line);
  try {
    const value = await (calls[name] ?? service[name].bind(service))(...args);
    console.log(JSON.stringify({ number, value }));
  } catch ({ code, message }) {
    console.log(JSON.stringify({ number, code, message }));
  }
});
