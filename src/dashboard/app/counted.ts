/** A count of the server's, which may have stopped at a bound. */
export interface Count {
  value: number;
  /** Whether there are no more. */
  exact: boolean;
}

/** `1 job`, `1,204 jobs`, `100+ jobs`. @param things of several, where an s is not enough */
export function counted(count: number | Count, thing: string, things = `${thing}s`): string {
  const { value, exact } = typeof count === 'number' ? { value: count, exact: true } : count;
  return `${value.toLocaleString('en')}${exact ? '' : '+'} ${value === 1 && exact ? thing : things}`;
}
