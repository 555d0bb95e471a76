import type { FieldIssue } from '../../errors.ts';
import { type JsonObject, type JsonValue, isJsonObject } from '../../json.ts';

/**
 * The name that a text was probably meant to be: at most two letters away, and half of its own, whatever the case.
 * Undefined if there is none.
 */
export function nearestOf(text: string, names: readonly string[]): string | undefined {
  const [nearest] = names
    .map((name) => ({ name, distance: editDistance(text.toLowerCase(), name.toLowerCase()) }))
    .filter(({ distance }) => distance <= Math.min(2, text.length / 2))
    .toSorted((a, b) => a.distance - b.distance);
  return nearest?.name;
}

/** Tells of a required field that was probably given under a misspelt name. */
export function withGuess({ path, message }: FieldIssue, input: JsonObject): FieldIssue {
  const wanted = path.at(-1);
  let parent: JsonValue | undefined = input;
  for (const key of path.slice(0, -1)) parent = isJsonObject(parent) ? parent[key] : undefined;
  if (wanted === undefined || !isJsonObject(parent) || Object.hasOwn(parent, wanted)) return { path, message };
  const given = nearestOf(wanted, Object.keys(parent).filter((key) => key.length <= wanted.length + 2));
  if (given === undefined) return { path, message };
  return { path, message: `${message}. ${JSON.stringify(given)} was given: did you mean ${JSON.stringify(wanted)}?` };
}

/** Levenshtein distance. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (const [index, letter] of [...from].entries()) {
    const next = [index + 1];
    for (let column = 1; column <= to.length; column++) {
      const exchange = (row[column - 1] ?? 0) + (letter === to[column - 1] ? 0 : 1);
      next.push(Math.min(exchange, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
