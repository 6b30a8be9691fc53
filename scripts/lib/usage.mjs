// The arguments of commands. A mistake in them ends a command before it changes anything.

import { statSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';

/** A mistake in the arguments of a command: it is printed without a stack trace. */
export class UsageError extends Error {}

/** As `parseArgs` of node:util, whose errors become mistakes of the caller. */
export function commandLine(config) {
  try {
    return parseArgs(config);
  } catch (error) {
    if (!/^ERR_PARSE_ARGS_/.test(error.code)) throw error;
    throw new UsageError(error.message, { cause: error });
  }
}

/** A whole number of an option, written in decimal digits. */
export function wholeNumber(name, text, { from = 0, to = Number.MAX_SAFE_INTEGER } = {}) {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= from && number <= to) return number;
  throw new UsageError(`--${name} must be a whole number from ${from} to ${to}, not "${text}"`);
}

/** A number of an option, as `wholeNumber`, that may have a fraction. */
export function decimalNumber(name, text, { from, to }) {
  const number = Number(text);
  if (/^\d+(?:\.\d+)?$/.test(text) && number >= from && number <= to) return number;
  throw new UsageError(`--${name} must be a number from ${from} to ${to}, not "${text}"`);
}

/** The names that were given, or all that are known if none was. Each must be known. */
export function chosen(what, names, known) {
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length === 0) return names.length === 0 ? known : [...new Set(names)];
  throw new UsageError(`No such ${what}: ${unknown.join(', ')}. There are: ${known.join(', ')}`);
}

/** The folder that is the only argument, or the usual one if there is none. */
export function folderOf(positionals, usual) {
  if (positionals.length > 1) throw new UsageError('One folder at most is named');
  const folder = path.resolve(positionals[0] ?? usual);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return folder;
  throw new UsageError(`There is no folder ${folder}`);
}

/** For commands that take no arguments. */
export function noArguments() {
  commandLine({});
}
