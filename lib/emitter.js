'use strict';

// The one event of an object whose native part calls a listener, from any thread.

const { EventEmitter } = require('node:events');

const { makeError } = require('./errors.js');

class NativeEmitter {
  #event;
  #emitter = new EventEmitter();
  #listen;
  #unlisten;
  /** The number of the native listener, which exists while there are listeners here. */
  #listening;

  /**
   * `listen(object, callback)` registers a function that is called with an array of events, and
   * returns a number for `unlisten(object, number)`. The native part holds the callback, so the
   * callback must not refer to the object, which could then never be collected.
   */
  constructor(object, event, listen, unlisten) {
    const weak = new WeakRef(object);
    this.#event = event;
    this.#listen = (callback) => listen(weak.deref(), callback);
    this.#unlisten = (number) => {
      const held = weak.deref();
      if (held !== undefined) unlisten(held, number);
    };
    // Any number of listeners may be right.
    this.#emitter.setMaxListeners(0);
  }

  on(event, listener) {
    this.#add('on', event, listener);
  }

  once(event, listener) {
    this.#add('once', event, listener);
  }

  off(event, listener) {
    this.#check(event, listener);
    this.#emitter.off(event, listener);
    this.#stopIfUnheard();
  }

  #add(how, event, listener) {
    this.#check(event, listener);
    this.#listening ??= this.#listen((events) => {
      for (const each of events) this.#tell(each);
      this.#stopIfUnheard();
    });
    this.#emitter[how](event, listener);
  }

  #check(event, listener) {
    if (event !== this.#event) {
      throw makeError('ERR_INVALID_ARG_VALUE', `event must be '${this.#event}', the only event`);
    }
    if (typeof listener !== 'function') {
      throw makeError('ERR_INVALID_ARG_TYPE', 'listener must be a function');
    }
  }

  /**
   * Calls each listener. If one throws, the others are still called, and the error becomes an
   * uncaught exception because no caller could catch it.
   */
  #tell(event) {
    for (const listener of this.#emitter.rawListeners(this.#event)) {
      try {
        listener(event);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  #stopIfUnheard() {
    if (this.#listening === undefined || this.#emitter.listenerCount(this.#event) > 0) return;
    this.#unlisten(this.#listening);
    this.#listening = undefined;
  }
}

module.exports = { NativeEmitter };
