import { type Measured, type Medians, none } from './measure.ts';

const columns = ['comparison', 'first', 'second', 'unit', 'ratio', 'rounds', 'aim', '', 'CPU µs each', 'Postgres µs each'];

/** Renders a table that reads well in terminals and is valid Markdown. */
export function table(results: readonly Measured[]): string {
  const rows = results.map(({ title, unit, aim, sides: [first, second], ratio, ratios, reached }) => [
    title,
    standing(first),
    standing(second),
    unit,
    ratio.toFixed(2),
    `${(ratios[0] ?? ratio).toFixed(2)}–${(ratios.at(-1) ?? ratio).toFixed(2)}`,
    aim,
    verdict(aim, reached),
    both(first.cpu, second.cpu),
    both(first.postgresCpu, second.postgresCpu),
  ]);
  const widths = columns.map((column, index) => Math.max(...[column, ...rows.map((row) => row[index] ?? '')].map(({ length }) => length)));
  const line = (cells: string[]) => `| ${cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(' | ')} |`;
  return [line(columns), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

/** Renders one line for the progress output. */
export function summary({ title, ratio, aim, reached, sides, unit }: Measured): string {
  return `${title}: ${sides.map(standing).join(', ')} ${unit}; ratio ${ratio.toFixed(2)} (${aim}: ${verdict(aim, reached)})`;
}

function verdict(aim: string, reached: boolean): string {
  if (aim === none.text) return '–';
  return reached ? 'reached' : 'MISSED';
}

function standing({ name, value }: Medians): string {
  return `${name} ${figure(value)}`;
}

function both(first: Medians['cpu'], second: Medians['cpu']): string {
  return [first, second].map((time) => (time === null ? '–' : figure(time))).join(' / ');
}

/** Rounds to three digits, which is already more than a busy machine can measure. */
function figure(value: number): string {
  if (value >= 1_000) return Math.round(value).toLocaleString('en');
  return value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);
}
