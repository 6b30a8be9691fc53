'use strict';

// The moment at which a response is over.

const { AsyncResource } = require('node:async_hooks');
const { inspect } = require('node:util');

/** By socket: the functions to call when it closes. */
const waiting = new WeakMap();

/**
 * Calls `fn` once, when the response has ended or its client is gone, with the context of now:
 * events of a socket have that of another request, or none.
 */
function whenClosed(response, fn) {
  // Node tells a response that waits behind another one on its connection of no closing.
  const socket = response.stream === undefined ? response.req?.socket : undefined;
  const bound = AsyncResource.bind(fn);
  let isCalled = false;
  const call = async () => {
    if (isCalled) return;
    isCalled = true;
    waiting.get(socket)?.delete(call);
    try {
      await bound();
    } catch (error) {
      // The response is over: nobody is left who could be told.
      process.emitWarning(error instanceof Error ? error : `a callback failed: ${inspect(error)}`);
    }
  };
  // The event has passed already if the client hung up meanwhile.
  if (response.closed || response.destroyed || (response.stream ?? socket)?.destroyed) {
    call();
    return;
  }
  response.once('close', call);
  if (typeof socket?.once === 'function') callsOf(socket).add(call);
}

/** One listener a socket, however many requests of it wait. */
function callsOf(socket) {
  let calls = waiting.get(socket);
  if (calls === undefined) {
    calls = new Set();
    waiting.set(socket, calls);
    socket.once('close', () => {
      for (const call of calls) call();
    });
  }
  return calls;
}

module.exports = { whenClosed };
