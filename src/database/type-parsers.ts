import { createPostgreSqlTypeParsers } from '@mikro-orm/sql';

/** The OID of `bigint`. */
const int8 = 20;

/**
 * What both drivers make of the values of a type, by its OID: timestamps stay text, as MikroORM expects, and a `bigint` is a
 * number. None of ours passes 2^53; `pg` would give text, and PGlite a number or a BigInt.
 */
export const typeParsers: Readonly<Record<number, (text: string) => unknown>> = {
  ...createPostgreSqlTypeParsers(splitArray),
  [int8]: Number,
};

/** Splits an array of timestamps, `{"a","b"}`. No query selects one, but MikroORM requires the parser. */
function splitArray(text: string): string[] {
  return text.slice(1, -1).split(',');
}
