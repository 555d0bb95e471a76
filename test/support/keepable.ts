/** A reviver that replaces each number that some JSON parsers would round with a fraction. */
export function keepable(_key: string, value: unknown): unknown {
  return typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER ? 1 / value : value;
}
