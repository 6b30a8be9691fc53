// Reads the order of rooms from the table in ARCHITECTURE.md.

const HEADER = /^\| *rooms\b.*\|.*\| *`unsafe` *\|$/i;

/**
 * Reads the table. Its first column lists the rooms from the top down, its last column is `unsafe`.
 */
export function house(markdown) {
  const lines = markdown.split('\n');
  const header = lines.findIndex((line) => HEADER.test(line));
  if (header === -1) throw new Error('ARCHITECTURE.md has no table of rooms');
  const rows = lines.slice(header + 2);
  const end = rows.findIndex((line) => !line.startsWith('|'));
  const cells = rows.slice(0, end).map((line) => line.split('|').slice(1, -1));
  const levels = cells.map((row) => quoted(row[0]));
  const unsafePlaces = cells.flatMap((row) => quoted(row.at(-1)));
  const levelOf = (room) => levels.findIndex((rooms) => rooms.includes(room));
  return {
    has: (file) => levelOf(roomOf(file)) !== -1,
    /** Whether `file` may not take a name from `other`, a room or a file of a room. */
    forbids(file, other) {
      const [from, to] = [roomOf(file), roomOf(other)];
      return from !== to && from !== 'lib' && levelOf(to) <= levelOf(from);
    },
    allowsUnsafe: (file) =>
      unsafePlaces.some((place) => file === `${place}.rs` || file.startsWith(`${place}/`)),
  };
}

/** The room of a file: `jwt/key.rs` belongs to `jwt`, `id.rs` to `id`. */
export function roomOf(file) {
  return file.split('/')[0].replace(/\.rs$/, '');
}

function quoted(cell) {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, text]) => text);
}
