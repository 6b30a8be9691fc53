// Words for a POSIX shell, and for programs that split their settings as a shell does.

/** A text as one word. */
export function shellWord(text) {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
