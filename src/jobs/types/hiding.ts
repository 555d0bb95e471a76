import type { FieldIssue } from '../../errors.ts';
import { textIssues } from '../../input.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../json.ts';
import type { JobType } from './job-type.ts';
import { marksSecrets, readMarks, secretKeyword } from './marks.ts';
import { hidden, maskOf } from './masking.ts';

type Schema = Pick<JobType, 'inputSchema'>;

/**
 * An input as everybody but its worker is shown it: what its type marks as secret is `•••`, whatever it is; null and what is
 * not there stay. Where nothing says what is secret, all of it is hidden: the type is gone, or has secrets and has become
 * another since, so that the input does not match it any more. Of a type without secrets it is the input itself.
 */
export function shownInput(type: Schema | undefined, input: JsonObject): JsonObject {
  if (type === undefined) return withoutAll(input);
  if (!marksSecrets(type.inputSchema)) return input;
  const { marked, matches } = readMarks(type.inputSchema, input, secretKeyword);
  if (!matches) return withoutAll(input);
  const root = placesOf(marked.map(({ path }) => path));
  return root.isSecret ? withoutAll(input) : entriesShown(input, root);
}

/** Names may be secret, too. */
function withoutAll(input: JsonObject): JsonObject {
  return Object.keys(input).length === 0 ? input : { [hidden]: hidden };
}

/** A place in an input: what of it is secret. */
interface Place {
  isSecret: boolean;
  within: Map<string, Place>;
}

function placesOf(paths: readonly (readonly string[])[]): Place {
  const root: Place = { isSecret: false, within: new Map() };
  for (const path of paths) {
    let place = root;
    for (const key of path) {
      const next = place.within.get(key) ?? { isSecret: false, within: new Map() };
      place.within.set(key, next);
      place = next;
    }
    place.isSecret = true;
  }
  return root;
}

function shown(value: JsonValue, place: Place | undefined): JsonValue {
  if (place === undefined || value === null) return value;
  if (place.isSecret) return hidden;
  if (Array.isArray(value)) return value.map((item, index) => shown(item, place.within.get(String(index))));
  return isJsonObject(value) ? entriesShown(value, place) : value;
}

function entriesShown(value: JsonObject, place: Place): JsonObject {
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shown(inner, place.within.get(key))]));
}

const sentBack =
  'is what is shown in place of a secret (x-secret), and not the secret. Send the secret itself, or leave the field out; ' +
  'updateSchedule keeps an input that is left out';

/** Tells of secrets that were sent back as they are shown: stored, they would take the place of the true ones. */
export function issuesOfShown(type: Schema, input: JsonObject): FieldIssue[] {
  if (!marksSecrets(type.inputSchema) || textIssues(input).length > 0) return [];
  const marked = readMarks(type.inputSchema, input, secretKeyword).marked.filter(({ value }) => value === hidden);
  const paths = [...marked.map(({ path }) => path), ...(Object.hasOwn(input, hidden) ? [[hidden]] : [])];
  return paths.map((path) => ({ path, message: sentBack }));
}

/** The issues of an input that its type refuses, without what they say of secrets: others read them as a schedule's last error, and in the audit. */
export function issuesWithoutSecrets(type: Schema, input: unknown, issues: readonly FieldIssue[]): FieldIssue[] {
  if (!marksSecrets(type.inputSchema) || !isJsonObject(input) || textIssues(input).length > 0) return [...issues];
  const { marked } = readMarks(type.inputSchema, input, secretKeyword);
  const mask = maskOf(marked.map(({ value }) => value));
  return issues.map(({ path, message }) => {
    const secret = marked.find((place) => place.path.every((key, depth) => path[depth] === key));
    if (secret !== undefined) return { path: secret.path, message: "does not match the type's inputSchema; what it is, is not told, for it is x-secret" };
    return { path, message: mask(message) };
  });
}
