/** The same stream, each item made into another; ending it ends the source. */
export function mapEach<From, To>(
  source: AsyncIterableIterator<From, void, void>,
  make: (item: From) => To,
): AsyncIterableIterator<To, void, void> {
  return {
    next: async () => {
      const { value, done } = await source.next();
      return done === true ? { value: undefined, done } : { value: make(value), done: false };
    },
    // Not a generator: one that waits takes its `return` only after the wait, which may be for ever.
    return: async () => {
      await source.return?.();
      return { value: undefined, done: true };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
