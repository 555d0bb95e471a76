import { writeFile } from 'node:fs/promises';
import { lexicographicSortSchema, printSchema } from 'graphql';
import { printedCacheFacts } from './print-cache-facts.ts';
import { schema } from './schema.ts';

/** Prints the schema, sorted so that diffs show only real changes. */
export function printedSchema(): string {
  return `${printSchema(lexicographicSortSchema(schema))}\n`;
}

if (import.meta.main) {
  await writeFile(new URL('../../schema/schema.graphql', import.meta.url), printedSchema());
  await writeFile(new URL('../../clients/js/src/apollo/cache-facts.ts', import.meta.url), printedCacheFacts());
}
