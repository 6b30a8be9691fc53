// What contestants do n times.

/** Performs an operation n times, one after the other, whether or not it gives promises. */
export function repeat(operation) {
  return inTurn([undefined], operation);
}

/** Performs an operation on n of the items, going on where it stopped. */
export function inTurn(items, operation) {
  let at = 0;
  // A loop for each of the two, since an `await` costs as much as some of the operations.
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

/** The items in an order that is the same in every run. */
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
