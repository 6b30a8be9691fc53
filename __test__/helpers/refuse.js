'use strict';

/** Builds the program of refuse.rs, and returns its path. */
async function buildRefuse() {
  const { buildExample } = await import('../../scripts/lib/example.mjs');
  return buildExample('refuse');
}

module.exports = { buildRefuse };
