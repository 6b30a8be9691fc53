'use strict';

const { native } = require('./native.js');

const secureHeap = Object.freeze({
  configure(options) {
    native.secureHeapConfigure(options);
  },

  status() {
    return native.secureHeapStatus();
  },

  disposeAll() {
    native.secureHeapDisposeAll();
  },

  verify() {
    native.secureHeapVerify();
  },

  hardenProcess(options) {
    return native.hardenProcess(options);
  },
});

module.exports = { secureHeap };
