import { readFile } from 'node:fs/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ErrorObject, ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { z } from 'zod';
import { describeIssue, type FieldIssue } from '../../errors.ts';
import { checkInput, expecting, integerFrom, maxIssues, textIssues, unknownField } from '../../input.ts';
import { canonicalJson, parseJson } from '../../json.ts';
import type { JsonObject } from '../model/job.ts';
import { isJsonObject } from './job-type.ts';
import type { JobType, ParsedInput } from './job-type.ts';

/** One entry of the file JOB_TYPES. Unknown keys are refused: they are most likely misspelt. */
const entrySchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-zA-Z0-9_.:/-]{1,100}$/, { error: expecting('1 to 100 letters, digits or any of _ . : / -') }),
  description: z.string().max(2000).default(''),
  credits: integerFrom(0, 1_000_000),
  maxAttempts: integerFrom(1, 100).default(3),
  timeoutSeconds: integerFrom(1, 604_800).default(3600),
  leaseSeconds: integerFrom(1, 3600).optional(),
  inputSchema: z
    .custom<JsonObject>(isJsonObject, { error: expecting('a JSON Schema, as an object') })
    .default({ type: 'object' }),
});

type Report = (issue: FieldIssue) => void;

/**
 * Reads the file JOB_TYPES: a JSON array of job types, of which `name` and `credits` are required.
 * @throws Error whose message has one line for each fault, naming the file, the entry and the field.
 */
export async function readJobTypes(path: string): Promise<JobType[]> {
  const entries = await readArray(path);
  const ajv = createAjv();
  const names = new Set<string>();
  const lines: string[] = [];
  const types = entries.flatMap((entry, index) => {
    const report: Report = (issue) => {
      lines.push(`${path}: ${labelOf(entry, index)}: ${describeIssue(issue)}`);
    };
    const type = readEntry(entry, ajv, report);
    if (type === null) return [];
    if (names.has(type.name)) report({ path: ['name'], message: 'is taken by an earlier entry; remove one of them' });
    names.add(type.name);
    return [type];
  });
  if (lines.length > 0) throw new Error(lines.join('\n'));
  return types;
}

async function readArray(path: string): Promise<unknown[]> {
  const content = await readFile(path).catch((cause: unknown) => {
    throw new Error(`${path}: cannot be read (${reasonOf(cause)}). Set JOB_TYPES to a JSON file.`, { cause });
  });
  let entries: unknown;
  try {
    entries = parseJson(content);
  } catch (cause) {
    throw new Error(`${path}: is not JSON (${reasonOf(cause)}). Mend it at the place named.`, { cause });
  }
  if (Array.isArray(entries)) return entries;
  throw new Error(`${path}: expected an array of job types: [{ "name": …, "credits": … }].`);
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

function labelOf(entry: unknown, index: number): string {
  const name = isJsonObject(entry) ? entry['name'] : undefined;
  return `entry ${index + 1}${typeof name === 'string' ? ` (${JSON.stringify(name.slice(0, 100))})` : ''}`;
}

function readEntry(entry: unknown, ajv: Ajv2020, report: Report): JobType | null {
  const checked = checkInput(entrySchema, entry);
  if (!checked.ok) {
    checked.issues.forEach(report);
    return null;
  }
  const { inputSchema, timeoutSeconds, leaseSeconds = Math.min(30, timeoutSeconds), ...terms } = checked.value;
  if (leaseSeconds > timeoutSeconds) {
    const message = `expected at most timeoutSeconds, ${timeoutSeconds}, got ${leaseSeconds}`;
    report({ path: ['leaseSeconds'], message });
  }
  try {
    const validate = compile(ajv, inputSchema);
    return { ...terms, timeoutSeconds, leaseSeconds, inputSchema, parseInput: (input) => parseInput(validate, input) };
  } catch (error) {
    report({ path: ['inputSchema'], message: `is not a JSON Schema 2020-12 that can be enforced: ${reasonOf(error)}` });
    return null;
  }
}

/**
 * Ajv rather than zod's fromJSONSchema, which lets pass what it does not know (misspelt keywords, `properties` without a
 * `type`) and fills in defaults. Here a keyword or format that would not be enforced is refused.
 */
function createAjv(): Ajv2020 {
  // ownProperties: otherwise a required "toString" is found in every object.
  const strict = { strictSchema: true, strictTypes: false, strictTuples: false };
  const ajv = new Ajv2020({ ...strict, allErrors: true, ownProperties: true, logger: false });
  formats.default(ajv);
  // Ajv's own, and no JSON Schema: such a validator answers with a promise, which passes for true.
  ajv.removeKeyword('$async');
  // Ajv compares each item with each: 10 seconds for 28,000 small objects (0.3 MB), while nothing else runs.
  ajv.removeKeyword('uniqueItems');
  return ajv.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    validate: (wanted: boolean, items: unknown[]) => !wanted || new Set(items.map(canonicalJson)).size === items.length,
    error: { message: 'must not have the same item twice' },
  });
}

function compile(ajv: Ajv2020, schema: JsonObject): ValidateFunction {
  if ('type' in schema && ![schema['type']].flat().includes('object')) {
    throw new Error('the input of a job is an object, so its type must be "object"');
  }
  const validate = ajv.compile(schema);
  // A schema that refers to itself and to nothing else overflows the stack, and had better do so here.
  validate({});
  return validate;
}

function parseInput(validate: ValidateFunction, input: unknown): ParsedInput {
  const unsound = textIssues(input);
  if (unsound.length > 0) return { ok: false, issues: unsound };
  if (!isJsonObject(input)) return { ok: false, issues: [{ path: [], message: expecting('an object')({ input }) }] };
  if (validate(input)) return { ok: true, input };
  return { ok: false, issues: (validate.errors ?? []).slice(0, maxIssues).map(fieldIssue) };
}

function fieldIssue({ instancePath, keyword, params, message = 'is not valid' }: ErrorObject): FieldIssue {
  // A JSON pointer (RFC 6901).
  const path = instancePath.split('/').slice(1).map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
  const { missingProperty, additionalProperty, unevaluatedProperty, allowedValues, allowedValue, type } = params;
  const unknown: unknown = additionalProperty ?? unevaluatedProperty;
  if (typeof missingProperty === 'string') return { path: [...path, missingProperty], message: 'is required' };
  if (typeof unknown === 'string') return { path: [...path, unknown], message: unknownField };
  if (keyword === 'enum') return { path, message: `must be one of ${JSON.stringify(allowedValues)}` };
  if (keyword === 'const') return { path, message: `must be ${JSON.stringify(allowedValue)}` };
  if (keyword === 'type') return { path, message: `must be of type ${[type].flat().join(' or ')}` };
  return { path, message };
}
