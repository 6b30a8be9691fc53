'use strict';

// Follows the stream of revocations: reads all of it once, then waits for new entries, and notices
// when the server has lost some.
//
// XINFO shows that the list has everything, as of the moment at which it was sent. The XREAD that
// waits does not: behind a proxy, or after a failover, it may wait at a stream that is gone. XINFO
// has the last id and the number of entries that were ever added. The stream is another one than
// before, and must be read again, if
//
// - its last id is older than one that was read, or than one that this process has published;
// - that number has not grown by the number of entries that were read; or
// - an entry that was read has another text now, or is missing between others.

const { NotPrimary, entriesRead } = require('./revocation-log.js');
const { START, isLater } = require('./stream-id.js');

class RevocationFollower {
  #log;
  /** Sends the XREAD that waits for entries after an id, or that does not wait. */
  #wait;
  #blockMs;
  #now;
  /** Takes the texts of entries into the list. */
  #take;
  /** Called with the entries that were read. */
  #added;
  /** Whether a lasting row is not needed any more. */
  #isExpired;
  /** The last id that was read. */
  #last = START;
  /** The entries that were last, now and at the last comparison: `{ id, text }`. */
  #newest;
  #compared;
  /** The last answer of XINFO; undefined if all must be read. */
  #info;
  /** The number of entries that were read and are later than the last id in it. */
  #later = 0;
  #lookedAt = -Infinity;
  /** The last id that this process has got from the server for an entry of its own. */
  #published = START;

  constructor({ log, wait, blockMs, now, take, added, isExpired }) {
    this.#log = log;
    this.#wait = wait;
    this.#blockMs = blockMs;
    this.#now = now;
    this.#take = take;
    this.#added = added;
    this.#isExpired = isExpired;
  }

  get last() {
    return this.#last;
  }

  /** Whether the stream was read, and is the same one as far as is known. */
  get hasRead() {
    return this.#info !== undefined;
  }

  /** Notes a break, after which the server may be another one. */
  broke() {
    // A server of version 6 does not count, so that its stream cannot be compared.
    if (this.#info?.added === undefined) this.#info = undefined;
  }

  /** Notes the id of an entry that this process has published. */
  published(id) {
    if (isLater(id, this.#published)) this.#published = id;
  }

  /** Has everything read again. */
  restart() {
    this.#info = undefined;
    this.#published = START;
  }

  /** Reads the whole stream. Returns as `compare`. */
  async readAll() {
    const info = await this.#log.info();
    this.#last = START;
    this.#newest = undefined;
    this.#compared = undefined;
    this.#later = 0;
    await this.#log.lasting((texts) => {
      this.#take(texts);
      return texts.filter((text) => this.#isExpired(text));
    });
    while (isLater(info.last, this.#last) && (await this.#readPage(info.last)));
    this.#info = info;
    return this.compare();
  }

  /** Waits for entries, for a time. Returns as `compare`, or undefined if it was not asked. */
  async next(waits) {
    const { last } = this.#info;
    const reply = await this.#wait(this.#last, waits);
    const entries = entriesRead(reply);
    this.#add(entries, last);
    const isDue = this.#now() - this.#lookedAt >= this.#blockMs;
    return entries.length === 0 || isDue ? this.compare() : undefined;
  }

  /**
   * Compares what was read with the stream, after reading on. Returns the moment as of which the
   * list has everything. Returns undefined if the server has lost something: then `hasRead` is
   * false.
   */
  async compare() {
    const moment = this.#now();
    const published = this.#published;
    const info = await this.#log.info();
    this.#lookedAt = moment;
    // A cluster redirects to a new primary without a break, and a proxy may hide one.
    if (info.history !== this.#info.history) {
      this.broke();
      // Some of these entries may be those of the old primary, and only the last one is compared.
      if (this.#later > 0) return this.restart();
    }
    if (!this.hasRead) return undefined;
    if (isLater(this.#last, info.last) || isLater(published, info.last)) return this.restart();
    if (await this.#isReplaced(info)) return this.restart();
    const known = this.#later;
    this.#later = 0;
    let read = 0;
    const count = (entries) => {
      read += entries;
    };
    while (isLater(info.last, this.#last) && (await this.#readPage(info.last, count)));
    // The reads have come from a server that lags behind the one of XINFO.
    if (info.newest !== undefined && isLater(info.newest.id, this.#last)) {
      this.restart();
      throw new NotPrimary();
    }
    const { added } = this.#info;
    // There was no stream, whose number is 0 for every server. This one does not count, so that
    // entries may have been lost since.
    if (added !== undefined && info.added === undefined) return this.restart();
    const isCounted = added !== undefined && info.added !== undefined;
    if (isCounted && added + known + read !== info.added) return this.restart();
    this.#info = info;
    this.#compared = this.#newest;
    this.#log.growPages();
    return moment;
  }

  /**
   * Whether the stream has another text under an id that was read, or none: after a failover, a new
   * revocation may have the id of one that was lost, or new ones may have ids before and after it.
   * `oldest` and `newest` are the entries at the ends of the stream. An entry before the oldest was
   * trimmed.
   */
  async #isReplaced({ oldest, newest }) {
    for (const entry of new Set([this.#newest, this.#compared])) {
      if (entry === undefined || newest === undefined || isLater(entry.id, newest.id)) continue;
      const isNewest = !isLater(newest.id, entry.id);
      const text = isNewest ? newest.text : await this.#log.textAt(entry.id);
      const isLost = text === undefined && isLater(entry.id, oldest.id);
      if (isLost || (text !== undefined && text !== entry.text)) return true;
    }
    return false;
  }

  /** Reads a page. Returns whether there may be more. */
  async #readPage(until, count) {
    const entries = await this.#log.after(this.#last);
    const later = this.#add(entries, until);
    count?.(entries.length - later);
    return entries.length > 0;
  }

  /** Takes entries. Returns the number of those that are later than an id. */
  #add(entries, than) {
    if (entries.length === 0) return 0;
    this.#take(entries.map(({ text }) => text));
    this.#added(entries);
    this.#newest = entries.at(-1);
    this.#last = this.#newest.id;
    const later = entries.filter(({ id }) => isLater(id, than)).length;
    this.#later += later;
    return later;
  }
}

module.exports = { RevocationFollower };
