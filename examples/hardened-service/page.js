'use strict';

// The files of the page, which are read once, at the start.

const { readFileSync } = require('node:fs');
const path = require('node:path');

const TYPES = {
  'icon.svg': 'image/svg+xml',
  'index.html': 'text/html; charset=utf-8',
  'script.js': 'text/javascript; charset=utf-8',
  'style.css': 'text/css; charset=utf-8',
};

/** The files by their paths, as `{ type, content }`. */
const page = Object.entries(TYPES).map(([name, type]) => ({
  path: name === 'index.html' ? '/' : `/${name}`,
  type,
  content: readFileSync(path.join(__dirname, 'page', name)),
}));

module.exports = { page };
