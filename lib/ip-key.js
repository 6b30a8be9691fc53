'use strict';

const { native, settled, snapshot } = require('./native.js');

const call = native.ipKeyBind();

function ipKey(ip, options) {
  // One argument less takes the native part less time.
  return settled(options === undefined ? call(ip) : call(ip, snapshot(options)));
}

module.exports = { ipKey };
