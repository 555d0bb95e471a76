import { z } from 'zod';
import { expecting, integerFrom } from '../../input.ts';

/** An integer in a query, as decimal digits alone; `fallback` if the parameter is absent. An empty one is refused. */
export function integerText(min: number, max: number, fallback: number) {
  const error = expecting(`an integer from ${min} to ${max}`);
  return z
    .string({ error })
    .regex(/^\d{1,16}$/, { error, abort: true })
    .transform(Number)
    .pipe(integerFrom(min, max))
    .default(fallback);
}
