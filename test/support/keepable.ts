/** A reviver that puts a fraction in place of each number that not every reader of JSON keeps. */
export function keepable(_key: string, value: unknown): unknown {
  return typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER ? 1 / value : value;
}
