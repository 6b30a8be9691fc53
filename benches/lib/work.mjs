// Makes the functions that perform an operation n times.

/** Performs an operation n times in sequence. The operation may return promises. */
export function repeat(operation) {
  return inTurn([undefined], operation);
}

/** Performs an operation on n of the items in sequence. Each call continues after the last item. */
export function inTurn(items, operation) {
  let at = 0;
  // Promises have a loop of their own, because an `await` costs as much as some of the operations.
  if (operation(items[0]) instanceof Promise) {
    return async (n) => {
      for (let i = 0; i < n; i += 1) {
        await operation(items[at]);
        at = at + 1 === items.length ? 0 : at + 1;
      }
    };
  }
  return (n) => {
    for (let i = 0; i < n; i += 1) {
      operation(items[at]);
      at = at + 1 === items.length ? 0 : at + 1;
    }
  };
}

/** The items in a shuffled order that is the same in every run. */
export function shuffled(items) {
  const order = [...items];
  // xorshift32
  let state = 2_463_534_242;
  for (let i = order.length - 1; i > 0; i -= 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const j = (state >>> 0) % (i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
