// Checks that the sources keep the order of rooms in ARCHITECTURE.md: a room uses only rooms below
// it, no files form a circle, only `binding` names Node's interface, and `unsafe` stands only where
// the table allows it. First the script checks the text of every file, tests and other systems
// included; then the names that the compiler resolves for this system.
//
//   node scripts/layers.mjs [folder of a checkout]

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { circles } from './layers/circles.mjs';
import { rustEdges } from './layers/compiler.mjs';
import { house } from './layers/house.mjs';
import { javascriptEdges } from './layers/javascript.mjs';
import { textFindings } from './layers/text.mjs';
import { main, root } from './lib/run.mjs';

const folder = path.resolve(process.argv[2] ?? root);
/** The folders of JavaScript: the façade, and the code that is not packed. */
const JAVASCRIPT = ['lib', 'scripts', 'benches', '__test__', 'examples'];

await main(async () => {
  const rooms = house(readFileSync(path.join(folder, 'ARCHITECTURE.md'), 'utf8'));
  const files = filesBelow('src', /\.rs$/).map((file) => file.slice('src/'.length));
  const found = files.flatMap((file) =>
    textFindings(rooms, file, readFileSync(path.join(folder, 'src', file), 'utf8')),
  );
  if (found.length === 0) found.push(...(await edgeFindings(rooms, files)));
  found.sort((one, other) => one.file.localeCompare(other.file) || one.line - other.line);
  for (const { file, line, message } of found) console.error(`${file}:${line}: ${message}`);
  if (found.length > 0) process.exitCode = 1;
  else console.log(`Layers: ${files.length} files, every arrow points down, and there is no circle.`);
});

async function edgeFindings(rooms, files) {
  const rust = await rustEdges(folder, files);
  const scripts = readdirSync(folder).filter((name) => /\.m?js$/.test(name));
  const javascript = [...scripts, ...JAVASCRIPT.flatMap((below) => filesBelow(below, /\.m?js$/))];
  const arrowsUp = rust.flatMap(({ from, to, line, name }) => {
    const message = rooms.forbids(from, to) ? `${from} may not use ${name} of ${to}` : undefined;
    return message === undefined ? [] : [{ file: from, line, message }];
  });
  const edges = [...rust, ...javascriptEdges(folder, javascript)];
  return [...arrowsUp, ...circles(edges).flatMap(circleFindings)];
}

/** One finding for each pair of files in a circle: the last name that one takes from the other. */
function circleFindings(circle) {
  const size = new Set(circle.map(({ from }) => from)).size;
  const pairs = new Map(circle.map((edge) => [`${edge.from} ${edge.to}`, edge]));
  return [...pairs.values()].map(({ from, to, line, name }) => ({
    file: from,
    line,
    message: `takes ${name} from ${to}, which is in a circle of ${size} files`,
  }));
}

/** The files below a folder of the checkout whose names match, as paths from the checkout. */
function filesBelow(below, pattern) {
  const start = path.join(folder, below);
  if (!existsSync(start)) return [];
  return readdirSync(start, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => !file.includes('node_modules/'))
    .sort();
}
