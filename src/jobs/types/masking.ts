import { isJsonObject, type JsonObject, type JsonValue } from '../../json.ts';
import type { JobType } from './job-type.ts';
import { marksSecrets, readMarks, secretKeyword } from './marks.ts';

/** What is shown in place of a secret. */
export const hidden = '•••';

/** Replaces what is secret in a text. */
export type Mask = (text: string) => string;

/** What is shorter is too likely to be a part of something else. */
const shortestMasked = 4;

/** Takes the secrets of an input out of what its handler writes down; null where there are none. */
export function maskFor(type: Pick<JobType, 'inputSchema'> | undefined, input: JsonObject): Mask | null {
  if (type === undefined || !marksSecrets(type.inputSchema)) return null;
  const { marked } = readMarks(type.inputSchema, input, secretKeyword);
  return marked.length === 0 ? null : maskOf(marked.map(({ value }) => value));
}

/** Takes these values out of texts: every text and number in them of at least four characters. */
export function maskOf(values: readonly unknown[]): Mask {
  const texts = [...new Set(values.flatMap(textsIn))].filter(({ length }) => length >= shortestMasked);
  // One may be a part of another.
  texts.sort((one, other) => other.length - one.length);
  return (text) => texts.reduce((left, secret) => left.replaceAll(secret, hidden), text);
}

/** As they stand, as they stand in JSON, and of a URL also what is shown of it where its query is left out. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') {
    const url = URL.parse(value);
    const forms = url === null || url.host === '' ? [] : [url.href, url.origin + url.pathname];
    return [value, JSON.stringify(value).slice(1, -1), ...forms];
  }
  if (typeof value === 'number') return [String(value)];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

/** The value with every text in it masked, and every number that is a secret. Keys stay. */
export function masked(mask: Mask | null, value: JsonValue): JsonValue {
  if (mask === null) return value;
  if (typeof value === 'string') return mask(value);
  if (typeof value === 'number') return mask(String(value)) === hidden ? hidden : value;
  if (Array.isArray(value)) return value.map((item) => masked(mask, item));
  return isJsonObject(value) ? maskedObject(mask, value) : value;
}

/** The same, of an object. */
export function maskedObject(mask: Mask | null, value: JsonObject): JsonObject {
  if (mask === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, masked(mask, inner)]));
}

/** An error that says the same for a log, with its texts masked, and without what else is attached to it. */
export function maskedError(mask: Mask | null, error: unknown): unknown {
  if (mask === null) return error;
  if (!(error instanceof Error)) return mask(String(error));
  const { name, message, stack = '', cause } = error;
  const same = new Error(mask(message), cause === undefined ? {} : { cause: maskedError(mask, cause) });
  return Object.assign(same, { name, stack: mask(stack) });
}
