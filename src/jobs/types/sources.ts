import { z } from 'zod';
import { meansUpload, uploadNamed } from '../../files/uploads/reference.ts';
import { expecting, isHttpUrl } from '../../input.ts';
import type { JsonObject } from '../../json.ts';
import { readMarks, sourceKeyword } from './marks.ts';

const error = expecting(
  'an absolute http or https URL without user name or white space, at most 8,192 characters, or upload:ID with the id of an upload',
);

/** A field that names a file, by URL or as an upload. */
export const source = z
  .string({ error })
  .refine((text) => isHttpUrl(text) || uploadNamed(text) !== null, { error })
  .meta({ format: 'uri', [sourceKeyword]: true });

/** A field of an input that names a file. */
interface NamedSource {
  /** Within the input. */
  path: string[];
  text: string;
}

/** The fields that a schema marks as sources, and that are meant to name uploads in this input. The input must match the schema. */
export function uploadSourcesOf(inputSchema: JsonObject, input: JsonObject): NamedSource[] {
  return readMarks(inputSchema, input, sourceKeyword).marked.flatMap(({ path, value }) =>
    typeof value === 'string' && meansUpload(value) ? { path, text: value } : [],
  );
}
