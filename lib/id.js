'use strict';

const { native } = require('./native.js');

function uuidv4() {
  return native.uuidV4();
}

function uuidv7() {
  return native.uuidV7();
}

function randomToken(bytes) {
  return native.randomToken(bytes);
}

module.exports = { randomToken, uuidv4, uuidv7 };
