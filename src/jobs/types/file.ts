import { readFile } from 'node:fs/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ErrorObject, ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { z } from 'zod';
import { describeIssue, type FieldIssue } from '../../errors.ts';
import { checkInput, expecting, integerFrom, maxIssues, textIssues, unknownField } from '../../input.ts';
import { canonicalJson, parseJson, type JsonObject, isJsonObject } from '../../json.ts';
import type { JobType, ParsedInput } from './job-type.ts';
import { linearPattern } from './linear-pattern.ts';
import { faultOfSecrets, markKeywords, marksSecrets, pathOf } from './marks.ts';

const jsonSchema = z.custom<JsonObject>(isJsonObject, { error: expecting('a JSON Schema, as an object') });

/** One entry of the JOB_TYPES file. Unknown keys are refused, because they are most likely misspelt. */
const entrySchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-zA-Z0-9_.:/-]{1,100}$/, { error: expecting('1 to 100 letters, digits or any of _ . : / -') }),
  description: z.string().max(2000).default(''),
  credits: integerFrom(0, 1_000_000),
  maxAttempts: integerFrom(1, 100).default(3),
  timeoutSeconds: integerFrom(1, 604_800).default(3600),
  leaseSeconds: integerFrom(1, 3600).optional(),
  retentionDays: integerFrom(0, 36_500).optional(),
  inputSchema: jsonSchema.default({ type: 'object' }),
  outputSchema: jsonSchema.optional(),
});

export type Report = (issue: FieldIssue) => void;

/**
 * Reads the JOB_TYPES file: a JSON array of job types. `name` and `credits` are required.
 *
 * @throws Error with one line per fault, naming the file, the entry and the field.
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
    throw new Error(`${path}: is not JSON (${reasonOf(cause)}). Correct the file.`, { cause });
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

/** Reads one job type, with the keys that an entry of the file has. Null if it has faults, which are reported. */
export function readJobType(entry: unknown, report: Report): JobType | null {
  return readEntry(entry, createAjv(), report);
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
  const { outputSchema } = terms;
  if (outputSchema !== undefined) {
    try {
      ajv.compile(outputSchema);
    } catch (error) {
      report({ path: ['outputSchema'], message: `is not a JSON Schema 2020-12: ${reasonOf(error)}` });
    }
    // Whoever marks one relies on it.
    if (marksSecrets(outputSchema)) report({ path: ['outputSchema'], message: 'cannot have x-secret: only inputs are hidden. Take it out, and keep secrets out of outputs' });
  }
  try {
    const validate = compile(ajv, inputSchema);
    const fault = faultOfSecrets(inputSchema);
    if (fault !== null) report({ path: ['inputSchema'], message: fault });
    return { ...terms, timeoutSeconds, leaseSeconds, inputSchema, parseInput: (input) => parseInput(validate, input) };
  } catch (error) {
    report({ path: ['inputSchema'], message: `is not a JSON Schema 2020-12 that can be enforced: ${reasonOf(error)}` });
    return null;
  }
}

/**
 * Uses Ajv because zod's fromJSONSchema accepts what it does not know (misspelt keywords, `properties` without a
 * `type`) and fills in defaults. Ajv's strict mode refuses keywords and formats that it would not enforce.
 */
function createAjv(): Ajv2020 {
  // Without ownProperties, every object would satisfy a required "toString".
  const strict = { strictSchema: true, strictTypes: false, strictTuples: false };
  const code = { regExp: linearPattern };
  const ajv = new Ajv2020({ ...strict, allErrors: true, ownProperties: true, logger: false, code });
  formats.default(ajv);
  // Ajv's own keyword, not JSON Schema. The validator would return a promise, which is truthy.
  ajv.removeKeyword('$async');
  // Ajv compares every pair of items. That blocks the event loop for 10 seconds for 28,000 small objects (0.3 MB).
  ajv.removeKeyword('uniqueItems');
  for (const keyword of markKeywords) ajv.addKeyword({ keyword, schemaType: 'boolean' });
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
  // A schema that only refers to itself overflows the stack. Let that happen here rather than at the first job.
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
  const path = pathOf(instancePath);
  const { missingProperty, additionalProperty, unevaluatedProperty, allowedValues, allowedValue, type } = params;
  const unknown: unknown = additionalProperty ?? unevaluatedProperty;
  if (typeof missingProperty === 'string') return { path: [...path, missingProperty], message: 'is required' };
  if (typeof unknown === 'string') return { path: [...path, unknown], message: unknownField };
  if (keyword === 'enum') return { path, message: `must be one of ${JSON.stringify(allowedValues)}` };
  if (keyword === 'const') return { path, message: `must be ${JSON.stringify(allowedValue)}` };
  if (keyword === 'type') return { path, message: `must be of type ${[type].flat().join(' or ')}` };
  return { path, message };
}
