'use strict';

// Many connections in a process of their own: `web-client.js <port> <count>`. Opens them, and then
// for each path from the parent sends a request on every connection. Sends the parent the number of
// answers by status whenever it has changed.

const net = require('node:net');

const [, , port, count] = process.argv;
/** Connections that are being opened at a time. */
const AT_ONCE = 500;

const sockets = [];
const seen = {};

function open() {
  const socket = net.connect({ port: Number(port), host: '127.0.0.1' }, () => {
    if (sockets.length === Number(count)) process.send({ opened: sockets.length });
    else open();
  });
  sockets.push(socket);
  socket.setEncoding('latin1');
  socket.on('data', (text) => {
    const status = /^HTTP\/1\.1 (\d+)/.exec(text)?.[1];
    if (status !== undefined) tell(status);
  });
  socket.on('error', ({ code }) => tell(code));
}

let isTelling = false;

function tell(outcome) {
  seen[outcome] = (seen[outcome] ?? 0) + 1;
  if (isTelling) return;
  isTelling = true;
  setImmediate(() => {
    isTelling = false;
    process.send({ seen });
  });
}

process.on('message', (path) => {
  for (const outcome of Object.keys(seen)) delete seen[outcome];
  for (const socket of sockets) socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
});

for (let n = 0; n < AT_ONCE; n += 1) open();
