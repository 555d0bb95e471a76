import { UsageError } from '../command-error.ts';

/** What a path such as `progress.step` finds within a property: nothing, what only the data tell, or these. */
type Within = null | 'any' | Properties;

/** The properties of an item by name. */
export interface Properties {
  readonly [name: string]: Within;
}

/** The same, held against the item's type. */
export type PropertiesOf<Item> = { readonly [Name in keyof Item]-?: WithinOf<Item[Name]> };

type WithinOf<Value> = unknown extends Value
  ? 'any'
  : NonNullable<Value> extends readonly (infer One)[]
    ? One extends object
      ? PropertiesOf<One>
      : 'any'
    : NonNullable<Value> extends object
      ? PropertiesOf<NonNullable<Value>>
      : null;

/** The properties of what a selection of GraphQL reads. @param free those that hold JSON or a list of plain values */
export function propertiesIn(selection: string, free: readonly string[] = []): Properties {
  const words = [...selection.matchAll(/\w+|[{}]/g)].map(([word]) => word);
  const read = (): Properties => {
    const found: Record<string, Within> = {};
    for (let name = words.shift(); name !== undefined && name !== '}'; name = words.shift()) {
      if (words[0] === '{') {
        words.shift();
        found[name] = read();
      } else found[name] = free.includes(name) ? 'any' : null;
    }
    return found;
  };
  return read();
}

/** What there is to print of an item. */
export interface Printable {
  /** Those of a table. */
  columns: Readonly<Record<string, unknown>>;
  properties: Properties;
}

/** The names that `--columns` gives; null where it was not given. */
export function columnNames({ columns }: { columns?: string }): string[] | null {
  return columns?.split(',').map((name) => name.trim()) ?? null;
}

/** Whether there is what `--columns` asks for. JSON has no columns beside the properties. @throws UsageError */
export function checkColumns({ columns, properties }: Printable, options: { columns?: string; json?: true; jsonl?: true }): void {
  const own = options.json === true || options.jsonl === true ? {} : columns;
  for (const name of columnNames(options) ?? []) {
    if (Object.hasOwn(own, name) || isProperty(properties, name)) continue;
    throw new UsageError(`There is no column ${name}. There are: ${[...new Set([...Object.keys(own), ...Object.keys(properties)])].join(', ')}.`);
  }
}

function isProperty(properties: Properties, path: string): boolean {
  const [first = '', ...others] = path.split('.');
  return Object.hasOwn(properties, first) && isWithin(properties[first] ?? null, others);
}

function isWithin(within: Within, [name, ...others]: readonly string[]): boolean {
  if (name === undefined || within === 'any') return true;
  if (within === null) return false;
  // These step into a list, such as artifacts.0.filename.
  if (name === 'length' || /^\d+$/.test(name)) return isWithin(name === 'length' ? null : within, others);
  return Object.hasOwn(within, name) && isWithin(within[name] ?? null, others);
}

/** What stands at a path such as `progress.step`; null where nothing does. */
export function valueAt(item: object, path: string): unknown {
  let value: unknown = item;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return null;
    value = Reflect.get(value, name);
  }
  return value ?? null;
}
