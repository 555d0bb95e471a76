import { errorOf } from './errors.ts';
import type { StandardSchema } from './job-types.ts';
import { UploadedFile } from './uploaded-file.ts';

/** Stands for a file while an input is checked, before anything is sent. */
const placeholder = 'upload:upload_00000000-0000-0000-0000-000000000000';

/** The input as it is sent: checked first, where there is a schema; each file in it uploaded. @throws ValidationError */
export async function readyInput(input: unknown, schema: StandardSchema | undefined, send: (file: Blob) => Promise<UploadedFile>): Promise<unknown> {
  if (schema !== undefined) await check(schema, await replaced(input, async () => placeholder));
  return replaced(input, async (file) => (file instanceof UploadedFile ? file : await send(file)).reference);
}

/** One file after the other, so that they do not share a line. */
async function replaced(value: unknown, put: (file: Blob | UploadedFile) => Promise<string>): Promise<unknown> {
  if (value instanceof Blob || value instanceof UploadedFile) return put(value);
  if (Array.isArray(value)) {
    const items: unknown[] = [];
    for (const item of value) items.push(await replaced(item, put));
    return items;
  }
  if (typeof value !== 'object' || value === null || !isPlain(value)) return value;
  const fields: [string, unknown][] = [];
  for (const [name, field] of Object.entries(value)) fields.push([name, await replaced(field, put)]);
  return Object.fromEntries(fields);
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

async function check(schema: StandardSchema, value: unknown): Promise<void> {
  const { issues } = await schema['~standard'].validate(value);
  if (issues === undefined) return;
  const found = issues.map(({ message, path = [] }) => ({
    path: ['input', ...path.map((part) => String(typeof part === 'object' ? part.key : part))],
    message,
  }));
  const message = found.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
  throw errorOf({ code: 'VALIDATION_ERROR', message, issues: found });
}
