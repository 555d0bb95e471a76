import type { Command } from 'commander';
import { UsageError } from '../command-error.ts';
import { cell, oneLine } from './plain-text.ts';
import { colour, isTerminal } from './style.ts';

/** How a command prints its data. */
export interface PrintOptions {
  json?: true;
  jsonl?: true;
  columns?: string;
  quiet?: true;
}

/** How items are shown as a table. */
export interface Shape<Item extends object> {
  /** By name: what stands in the column; null for the item's property of that name. */
  columns: Record<string, ((item: Item) => unknown) | null>;
  /** The property that `-q` prints. */
  id: keyof Item & string;
}

/** Gives a command the options of how its data is printed. */
export function withPrinting(command: Command): Command {
  return command
    .option('--json', 'print JSON')
    .option('--jsonl', 'print JSON, an item a line')
    .option('--columns <names>', 'print these alone, such as id,status or progress.step')
    .option('-q, --quiet', 'print ids alone');
}

/** Prints items on standard output: a table on a terminal, elsewhere tabs between the cells and no header. */
export function printList<Item extends object>(items: readonly Item[], shape: Shape<Item>, options: PrintOptions): void {
  const rows = pick(items, options);
  if (options.json === true) process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
  else if (options.jsonl === true) for (const row of rows) process.stdout.write(`${JSON.stringify(row)}\n`);
  else if (options.quiet === true) for (const item of items) process.stdout.write(`${cell(item[shape.id])}\n`);
  else writeTable(columnsOf(shape, options), items);
}

/** Prints one item: a line for each property. */
export function printRecord<Item extends object>(item: Item, shape: Shape<Item>, options: PrintOptions): void {
  const [row] = pick([item], options);
  if (options.json === true) process.stdout.write(`${JSON.stringify(row, null, 2)}\n`);
  else if (options.jsonl === true) process.stdout.write(`${JSON.stringify(row)}\n`);
  else if (options.quiet === true) process.stdout.write(`${cell(item[shape.id])}\n`);
  else {
    const columns = columnsOf(shape, options).map(({ name, show }) => ({ name, text: cell(show(item)) }));
    const width = Math.max(...columns.map(({ name }) => name.length));
    for (const { name, text } of columns.filter((one) => one.text !== '')) {
      process.stdout.write(isTerminal(process.stdout) ? `${colour(process.stdout, 'dim', name.padEnd(width))}  ${text}\n` : `${name}\t${text}\n`);
    }
  }
}

interface Column<Item> {
  name: string;
  show: (item: Item) => unknown;
}

function columnsOf<Item extends object>({ columns }: Shape<Item>, { columns: asked }: PrintOptions): Column<Item>[] {
  const names = asked === undefined ? Object.keys(columns) : asked.split(',').map((name) => name.trim());
  return names.map((name) => ({ name, show: columns[name] ?? ((item) => at(item, name)) }));
}

/** Items as JSON has them: whole, or their asked columns. */
function pick<Item extends object>(items: readonly Item[], { columns }: PrintOptions): object[] {
  if (columns === undefined) return [...items];
  const names = columns.split(',').map((name) => name.trim());
  return items.map((item) => Object.fromEntries(names.map((name) => [name, at(item, name)])));
}

/** What stands at a path such as `progress.step`. @throws UsageError where the item has no such property */
function at(item: object, path: string): unknown {
  let value: unknown = item;
  for (const name of path.split('.')) {
    if (value === null || value === undefined) return null;
    if (typeof value !== 'object' || (value === item && !Object.hasOwn(item, name))) {
      throw new UsageError(`There is no column ${path}. There are: ${Object.keys(item).join(', ')}.`);
    }
    value = Reflect.get(value, name);
  }
  return value ?? null;
}

function writeTable<Item>(columns: readonly Column<Item>[], items: readonly Item[]): void {
  const { stdout } = process;
  const rows = items.map((item) => columns.map(({ show }) => cell(show(item))));
  if (!isTerminal(stdout)) {
    for (const row of rows) stdout.write(`${row.join('\t')}\n`);
    return;
  }
  if (rows.length === 0) {
    process.stderr.write('There are none.\n');
    return;
  }
  const widths = columns.map(({ name }, index) => Math.max(name.length, ...rows.map((row) => row[index]?.length ?? 0)));
  const lay = (texts: readonly string[]) => texts.map((text, index) => text.padEnd(widths[index] ?? 0)).join('  ').trimEnd().slice(0, stdout.columns);
  stdout.write(`${colour(stdout, 'bold', lay(columns.map(({ name }) => oneLine(name).toUpperCase())))}\n`);
  for (const row of rows) stdout.write(`${lay(row)}\n`);
}
