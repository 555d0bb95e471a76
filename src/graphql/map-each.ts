/** Maps each item of a stream. Closing the result closes the source. */
export function mapEach<From, To>(
  source: AsyncIterableIterator<From, void, void>,
  make: (item: From) => To,
): AsyncIterableIterator<To, void, void> {
  return {
    next: async () => {
      const { value, done } = await source.next();
      return done === true ? { value: undefined, done } : { value: make(value), done: false };
    },
    // Not a generator: a generator that is waiting handles `return` only after the wait, which may never end.
    return: async () => {
      await source.return?.();
      return { value: undefined, done: true };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** Ends a stream, and closes its source, before the first item that is not accepted. */
export function takeWhile<Item>(
  source: AsyncIterableIterator<Item, void, void>,
  accept: (item: Item) => Promise<boolean>,
): AsyncIterableIterator<Item, void, void> {
  return {
    next: async () => {
      const result = await source.next();
      if (result.done === true || (await accept(result.value))) return result;
      await source.return?.();
      return { value: undefined, done: true };
    },
    return: async () => {
      await source.return?.();
      return { value: undefined, done: true };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
