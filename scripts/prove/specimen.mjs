// A planted process, for the harness: starts it, sends it commands, reads it and ends it.

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

import { start } from '../lib/run.mjs';
import { formsOf } from './needles.mjs';
import { ENV_SECRET, SECRETS } from './secrets.mjs';

const PROGRAM = path.join(import.meta.dirname, 'planted.mjs');

/** The kinds of controls. Every reader must find the control of the kind that it can see. */
const CONTROLS = ['buffer', 'text', 'variable', 'array'];

export class Specimen {
  #child;
  #lines;
  #ended;
  #needles;
  #scanner;
  #said = '';

  /** Starts a process and plants the secrets in it. Resolves when they are in use. */
  static async plant(native, addon, backend) {
    const specimen = new Specimen();
    try {
      await specimen.#plant(native, addon, backend);
    } catch (error) {
      await specimen.end();
      throw error;
    }
    return specimen;
  }

  constructor() {
    this.folder = mkdtempSync(path.join(tmpdir(), 'nodesec-prove-'));
  }

  get pid() {
    return this.#child.pid;
  }

  file(name) {
    return path.join(this.folder, name);
  }

  /** Sends a command and resolves with the answer. */
  async tell(command) {
    this.#child.stdin.write(`${command}\n`);
    return this.#answer();
  }

  /** Sends a command that ends the process, and resolves with the signal that ended it. */
  async tellLast(command) {
    this.#child.stdin.write(`${command}\n`);
    const [, signal] = await this.#ended;
    return signal;
  }

  /**
   * Searches for all planted controls and secrets. `read` receives a scanner and returns its
   * findings. Returns the kinds of the controls found, and the secrets found with form and place.
   */
  scan(read) {
    const { hits, ...amount } = read(this.#scanner);
    const found = hits.map(({ needle, place }) => ({ ...this.#needles[needle], place }));
    return {
      ...amount,
      controls: new Set(found.filter(({ control }) => control).map(({ control }) => control)),
      secrets: found.filter(({ secret }) => secret),
    };
  }

  async end() {
    this.#child?.kill('SIGKILL');
    await this.#ended;
    rmSync(this.folder, { recursive: true });
  }

  async #plant(native, addon, backend) {
    const controls = CONTROLS.map((control) => ({ control, bytes: randomBytes(32) }));
    const [buffer, text, variable, array] = controls.map(({ bytes }) => bytes);
    const made = SECRETS.map((secret) => ({ ...secret, ...secret.make() }));
    const secretOf = made.find((secret) => secret.variable);

    this.#write('control-buffer', buffer);
    this.#write('control-array', array);
    this.#write('control-text', text.toString('hex'));
    for (const [index, { content }] of made.entries()) this.#write(`secret-${index}`, content);
    await this.#start(addon, {
      PATH: process.env.PATH,
      NODESEC_SECMEM: backend,
      PROVE_CONTROL: variable.toString('hex'),
      [ENV_SECRET]: secretOf.content.toString('latin1'),
    });
    const actual = await this.tell('plant');
    if (actual !== backend) throw new Error(`this machine gives ${actual}, not ${backend}`);
    for (const index of made.keys()) rmSync(this.file(`secret-${index}`));

    const context = { sealed: this.file('sealed'), copy: this.file('copy'), made };
    this.#needles = [
      ...controls.flatMap(({ control, bytes }) =>
        formsOf(bytes).map((form) => ({ control, ...form })),
      ),
      ...made.flatMap(({ name, group, bytes, needles, derived = () => [] }) =>
        [...needles, ...derived(bytes, context)].map((form) => ({
          secret: name,
          group,
          form: form.name,
          bytes: form.bytes,
        })),
      ),
    ];
    this.#scanner = new native.Scanner(this.#needles.map(({ bytes }) => bytes));
  }

  async #start(addon, env) {
    this.#child = start(process.execPath, ['--expose-gc', PROGRAM, this.folder, addon], {
      cwd: this.folder,
      env,
      stdio: 'pipe',
    });
    this.#ended = once(this.#child, 'exit');
    this.#child.stderr.setEncoding('utf8').on('data', (text) => (this.#said += text));
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    await this.#answer();
  }

  async #answer() {
    const { value, done } = await this.#lines.next();
    if (!done) return value;
    await this.#ended;
    throw new Error(`the planted process has ended: ${this.#said}`);
  }

  #write(name, content) {
    writeFileSync(this.file(name), content, { mode: 0o600, flag: 'wx' });
  }
}
