import fc from 'fast-check';
import { expect, test } from 'vitest';
import { instantText } from '../../src/graphql/instant-text.ts';

const latest = 8_640_000_000_000_000;

test('an instant is printed as toISOString prints it', () => {
  const near = fc.integer({ min: Date.UTC(1990), max: Date.UTC(2100) });
  const any = fc.integer({ min: -latest, max: latest });
  const edges = fc.constantFrom(
    0,
    -1,
    1,
    latest,
    -latest,
    Date.UTC(1999, 11, 31, 23, 59, 59, 999),
    Date.UTC(2000, 1, 29),
    Date.UTC(-1, 0),
    Date.UTC(9999, 11, 31),
    Date.UTC(10_000, 0),
  );
  fc.assert(
    fc.property(fc.oneof(near, any, edges), (time) => {
      const instant = new Date(time);
      // Once as a day that is new, once as one that is remembered.
      for (let use = 0; use < 2; use += 1) expect(instantText(instant)).toBe(instant.toISOString());
    }),
    { numRuns: 5_000 },
  );
});

test('what is no instant is refused as toISOString refuses it', () => {
  expect(() => instantText(new Date(Number.NaN))).toThrow(RangeError);
});
