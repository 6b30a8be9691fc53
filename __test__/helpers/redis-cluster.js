'use strict';

// Changes of a cluster of Redis during a test: replicas, failovers and moves of slots.

const { startNode, until } = require('./redis-server.js');

/** Adds a replica of a node of a cluster. Resolves to it when it has the data of the node. */
async function addReplica(t, primary) {
  const replica = await startNode(t);
  replica.cli('cluster', 'meet', '127.0.0.1', `${primary.port}`);
  await until(() => replica.cli('cluster', 'nodes').includes(idOf(primary)));
  replica.cli('cluster', 'replicate', idOf(primary));
  await until(() => replica.cli('info', 'replication').includes('master_link_status:up'));
  return replica;
}

/**
 * Moves the slot of a key to another node, as a resharding does: first its keys, then, after
 * `between()`, the slot. Until then the old node answers ASK, afterwards MOVED.
 */
async function moveSlot(nodes, key, between) {
  const slot = nodes[0].cli('cluster', 'keyslot', key).trim();
  const from = ownerOf(nodes, Number(slot));
  const to = nodes.find((node) => node !== from);
  to.cli('cluster', 'setslot', slot, 'importing', idOf(from));
  from.cli('cluster', 'setslot', slot, 'migrating', idOf(to));
  const names = from.cli('--raw', 'cluster', 'getkeysinslot', slot, '1000').trim().split('\n');
  moveKeys(from, to, names);
  await between(from, to);
  for (const node of [to, from]) node.cli('cluster', 'setslot', slot, 'node', idOf(to));
  await until(() => nodes.every((node) => ownerOf([node], Number(slot), idOf(to)) !== undefined));
  return { from, to };
}

function moveKeys(from, to, names) {
  from.cli('migrate', '127.0.0.1', `${to.port}`, '', '0', '5000', 'keys', ...names);
}

/** The node that has a key. */
function nodeOfKey(nodes, key) {
  return ownerOf(nodes, Number(nodes[0].cli('cluster', 'keyslot', key)));
}

/** The first node that names itself, or the node with the given id, as the owner of a slot. */
function ownerOf(nodes, slot, id) {
  return nodes.find((node) =>
    node.cli('cluster', 'nodes').split('\n').some((line) => {
      const [name, , flags = '', , , , , , ...ranges] = line.split(' ');
      if (id === undefined ? !flags.startsWith('myself') : name !== id) return false;
      return ranges.some((range) => {
        const [first, last = first] = range.split('-').map(Number);
        return first <= slot && slot <= last;
      });
    }),
  );
}

function idOf(node) {
  return node.cli('cluster', 'myid').trim();
}

module.exports = { addReplica, moveSlot, nodeOfKey };
