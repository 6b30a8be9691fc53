// Finds circles of files: groups in which every file reaches every other (Tarjan's algorithm).

/** Returns the circles among edges `{ from, to }`, each as the list of its edges. */
export function circles(edges) {
  const targets = new Map();
  for (const { from, to } of edges) {
    if (!targets.has(from)) targets.set(from, new Set());
    targets.get(from).add(to);
  }
  return components(targets)
    .filter((component) => component.size > 1)
    .map((component) => edges.filter(({ from, to }) => component.has(from) && component.has(to)));
}

function components(targets) {
  const found = [];
  const index = new Map();
  const lowest = new Map();
  const open = [];
  const visit = (node) => {
    index.set(node, index.size);
    lowest.set(node, index.get(node));
    open.push(node);
    for (const next of targets.get(node) ?? []) {
      if (!index.has(next)) visit(next);
      if (open.includes(next)) lowest.set(node, Math.min(lowest.get(node), lowest.get(next)));
    }
    if (lowest.get(node) === index.get(node)) found.push(new Set(open.splice(open.indexOf(node))));
  };
  for (const node of targets.keys()) if (!index.has(node)) visit(node);
  return found;
}
