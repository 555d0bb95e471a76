import { styleText } from 'node:util';
import { type Command, Option } from 'commander';
import { checkColumns, columnNames, type Printable, type Properties, valueAt } from './columns.ts';
import { fit, padTo, widthOf } from './display-width.ts';
import { cell, oneLine } from './plain-text.ts';
import { columnsOn, isTerminal } from './terminal.ts';

/** How a command prints its data. */
export interface PrintOptions {
  json?: true;
  jsonl?: true;
  columns?: string;
  quiet?: true;
}

/** How items are shown as a table. */
export interface Shape<Item extends object> extends Printable {
  /** By name: what stands in the column; null for the item's property of that name. */
  columns: Record<string, ((item: Item) => unknown) | null>;
  /** All that the item has, for `--columns`. */
  properties: Properties;
  /** The property that `-q` prints. */
  id: keyof Item & string;
}

/**
 * Gives a command the options of how its data is printed. A column that there is not is refused before anything is done.
 *
 * @param printed what it will print, or what that is by its arguments and options
 */
export function withPrintOptions(command: Command, printed: Printable | ((given: Command) => Printable)): Command {
  return command
    .hook('preAction', (given) => checkColumns(typeof printed === 'function' ? printed(given) : printed, given.opts<PrintOptions>()))
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
    const width = Math.max(...columns.map(({ name }) => widthOf(name)));
    for (const { name, text } of columns.filter((one) => one.text !== '')) {
      process.stdout.write(isTerminal(process.stdout) ? `${styleText('dim', padTo(name, width), { stream: process.stdout })}  ${text}\n` : `${name}\t${text}\n`);
    }
  }
}

interface Column<Item> {
  name: string;
  show: (item: Item) => unknown;
}

function columnsOf<Item extends object>({ columns }: Shape<Item>, options: PrintOptions): Column<Item>[] {
  return (columnNames(options) ?? Object.keys(columns)).map((name) => ({ name, show: (Object.hasOwn(columns, name) ? columns[name] : null) ?? ((item) => valueAt(item, name)) }));
}

/** An item as JSON has it: whole, or its asked columns. */
function pick(item: object, options: PrintOptions): object {
  const names = columnNames(options);
  return names === null ? item : Object.fromEntries(names.map((name) => [name, valueAt(item, name)]));
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
  const room = columnsOn(stdout);
  const table = [columns.map(({ name }) => oneLine(name).toUpperCase()), ...rows].map((row) => row.map((text) => fit(text, room)));
  const widths = columns.map((_column, index) => table.reduce((most, row) => Math.max(most, widthOf(row[index] ?? '')), 0));
  const [header = '', ...lines] = table.map((row) => fit(row.map((text, index) => padTo(text, widths[index] ?? 0)).join('  ').trimEnd(), room));
  stdout.write(`${styleText('bold', header, { stream: stdout })}\n`);
  for (const line of lines) stdout.write(`${line}\n`);
}
