import { writeFile } from 'node:fs/promises';
import { openApiDocument } from './openapi-document.ts';

/** The document as text: in the order of the routes, so that a change of them is a change of the diff alone. */
export function printedOpenApi(): string {
  return `${JSON.stringify(openApiDocument(), null, 2)}\n`;
}

if (import.meta.main) await writeFile(new URL('../../../schema/openapi.json', import.meta.url), printedOpenApi());
