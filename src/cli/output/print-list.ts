import { styleText } from 'node:util';
import { type Command, Option } from 'commander';
import { UsageError } from '../command-error.ts';
import { cell, oneLine } from './plain-text.ts';
import { isTerminal } from './terminal.ts';

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
export function withPrintOptions(command: Command): Command {
  return command
    .option('--json', 'print JSON')
    .addOption(new Option('--jsonl', 'print JSON, an item a line').conflicts('json'))
    .addOption(new Option('--columns <names>', 'print these alone, such as id,status or progress.step').conflicts('quiet'))
    .option('-q, --quiet', 'print ids alone');
}

/** Prints items on standard output: a table on a terminal, elsewhere tabs between the cells and no header. */
export function printList<Item extends object>(items: readonly Item[], shape: Shape<Item>, options: PrintOptions): void {
  if (options.json === true) process.stdout.write(`${JSON.stringify(items.map((item) => pick(item, options)), null, 2)}\n`);
  else if (options.jsonl === true) for (const item of items) printLine(item, options);
  else if (options.quiet === true) for (const item of items) process.stdout.write(`${cell(item[shape.id])}\n`);
  else writeTable(columnsOf(shape, options), items);
}

/** Prints one item as a line of JSON. */
export function printLine(item: object, options: PrintOptions): void {
  process.stdout.write(`${JSON.stringify(pick(item, options))}\n`);
}

/** Prints one item: a line for each property. */
export function printRecord<Item extends object>(item: Item, shape: Shape<Item>, options: PrintOptions): void {
  if (options.json === true) process.stdout.write(`${JSON.stringify(pick(item, options), null, 2)}\n`);
  else if (options.jsonl === true) printLine(item, options);
  else if (options.quiet === true) process.stdout.write(`${cell(item[shape.id])}\n`);
  else {
    const columns = columnsOf(shape, options).map(({ name, show }) => ({ name, text: cell(show(item)) }));
    const width = Math.max(...columns.map(({ name }) => name.length));
    for (const { name, text } of columns.filter((one) => one.text !== '')) {
      process.stdout.write(isTerminal(process.stdout) ? `${styleText('dim', name.padEnd(width), { stream: process.stdout })}  ${text}\n` : `${name}\t${text}\n`);
    }
  }
}

interface Column<Item> {
  name: string;
  show: (item: Item) => unknown;
}

function columnsOf<Item extends object>({ columns }: Shape<Item>, options: PrintOptions): Column<Item>[] {
  return (namesIn(options) ?? Object.keys(columns)).map((name) => ({ name, show: columns[name] ?? ((item) => at(item, name)) }));
}

/** An item as JSON has it: whole, or its asked columns. */
function pick(item: object, options: PrintOptions): object {
  const names = namesIn(options);
  return names === null ? item : Object.fromEntries(names.map((name) => [name, at(item, name)]));
}

function namesIn({ columns }: PrintOptions): string[] | null {
  return columns?.split(',').map((name) => name.trim()) ?? null;
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
  stdout.write(`${styleText('bold', lay(columns.map(({ name }) => oneLine(name).toUpperCase())), { stream: stdout })}\n`);
  for (const row of rows) stdout.write(`${lay(row)}\n`);
}
