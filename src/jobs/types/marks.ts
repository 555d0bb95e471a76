import { Ajv2020 } from 'ajv/dist/2020.js';
import type { JsonObject } from '../../json.ts';
import { linearPattern } from './linear-pattern.ts';

/** The keyword by which a schema says that a field names a file: that it takes `upload:ID`, too. */
export const sourceKeyword = 'x-source';

/** The keyword by which a schema says that a field is shown to workers alone. */
export const secretKeyword = 'x-secret';

export const markKeywords = [sourceKeyword, secretKeyword] as const;

type MarkKeyword = (typeof markKeywords)[number];

const secretive = new WeakMap<JsonObject, boolean>();

/** Whether a schema marks anything as secret. Found out once for each. */
export function marksSecrets(schema: JsonObject): boolean {
  let marks = secretive.get(schema);
  if (marks === undefined) {
    marks = JSON.stringify(schema).includes(`"${secretKeyword}":true`);
    secretive.set(schema, marks);
  }
  return marks;
}

/** A part of an input that its schema marks. */
interface Marked {
  /** Within the input; empty for all of it. */
  path: string[];
  value: unknown;
}

/** What a schema marks in an input. */
interface Reading {
  marked: Marked[];
  /** Whether the input matches the schema. Where it does not, marks may be missing. */
  matches: boolean;
}

type Reader = (input: JsonObject, keyword: MarkKeyword) => Reading;

const readers = new WeakMap<JsonObject, Reader>();

/**
 * Finds what a schema marks in an input by this keyword, also in branches that the input does not match. The input must be sound: see `textIssues`.
 *
 * @throws Error for a schema that cannot be compiled
 */
export function readMarks(inputSchema: JsonObject, input: JsonObject, keyword: MarkKeyword): Reading {
  const read = readers.get(inputSchema) ?? readerOf(inputSchema);
  readers.set(inputSchema, read);
  return read(input, keyword);
}

/** Runs the schema for what its keywords mark; whatever else it says counts only where it decides between subschemas. */
function readerOf(inputSchema: JsonObject): Reader {
  let wanted: MarkKeyword | null = null;
  let found = new Map<string, Marked>();
  const ajv = new Ajv2020({ strict: false, allErrors: true, ownProperties: true, logger: false, validateFormats: false, code: { regExp: linearPattern } });
  // See file.ts.
  ajv.removeKeyword('$async');
  ajv.removeKeyword('uniqueItems');
  for (const keyword of markKeywords) {
    ajv.addKeyword({
      keyword,
      schemaType: 'boolean',
      errors: false,
      validate: (isMarked: boolean, value: unknown, _schema: unknown, place?: { instancePath: string }) => {
        const pointer = place?.instancePath ?? '';
        if (isMarked && keyword === wanted) found.set(pointer, { path: pathOf(pointer), value });
        return true;
      },
    });
  }
  const validate = ajv.compile(inputSchema);
  return (input, keyword) => {
    wanted = keyword;
    found = new Map();
    const matches = validate(input);
    return { marked: [...found.values()], matches };
  };
}

/**
 * Why the secrets of a schema cannot all be found; null where they can. The items that `contains` describes are looked at only until
 * enough of them match, so that what is behind those would be shown.
 */
export function faultOfSecrets(schema: JsonObject): string | null {
  if (!marksSecrets(schema)) return null;
  let fault: string | null = null;
  const ajv = new Ajv2020({ strict: false, logger: false, validateFormats: false, validateSchema: false });
  ajv.removeKeyword('$async');
  ajv.removeKeyword('contains');
  ajv.addKeyword({
    keyword: 'contains',
    compile: (described: unknown) => {
      if (/"(?:x-secret|\$ref|\$dynamicRef)":/.test(JSON.stringify(described))) fault = 'cannot have x-secret or a $ref within contains, which looks at some items alone. Mark it in items';
      return () => true;
    },
  });
  ajv.compile(schema);
  return fault;
}

/** Of a JSON pointer (RFC 6901). */
export function pathOf(pointer: string): string[] {
  return pointer.split('/').slice(1).map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
}
