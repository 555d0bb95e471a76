import { partsOf } from '../app/json-values.ts';

/** A value in a tree that is shown. */
export interface Place {
  path: readonly string[];
  value: unknown;
  /** How many values are in it. */
  parts: number;
  /** How many of them are not shown although it is open. */
  more: number;
}

/** Of one array or object, no more are shown. */
const mostParts = 200;

/** A tree with fewer values is open from the start. */
const smallTree = 60;

/** Tells a path from any other. */
export function keyOf(path: readonly string[]): string {
  return JSON.stringify(path);
}

/** `outputs[0].name`, `["odd name"]`. */
export function pathText(path: readonly string[]): string {
  return path
    .map((step) => (/^\d+$/.test(step) ? `[${step}]` : /^[A-Za-z_$][\w$]*$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`))
    .join('')
    .replace(/^\./, '');
}

/** What is shown, from top to bottom. @param open keys of the paths that are open */
export function placesOf(root: unknown, open: ReadonlySet<string>): Place[] {
  const places: Place[] = [];
  const add = (path: readonly string[], value: unknown) => {
    const parts = partsOf(value);
    places.push({ path, value, parts: parts.length, more: Math.max(0, parts.length - mostParts) });
    if (open.has(keyOf(path))) for (const [name, inner] of parts.slice(0, mostParts)) add([...path, name], inner);
  };
  add([], root);
  return places;
}

/** Small trees as a whole; of others what is on top. */
export function usuallyOpen(root: unknown): ReadonlySet<string> {
  const all = new Set<string>();
  let count = 0;
  const visit = (path: readonly string[], value: unknown) => {
    const parts = partsOf(value);
    count += parts.length;
    if (parts.length === 0 || count > smallTree) return;
    all.add(keyOf(path));
    for (const [name, inner] of parts) visit([...path, name], inner);
  };
  visit([], root);
  return count > smallTree ? new Set([keyOf([])]) : all;
}
