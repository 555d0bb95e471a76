import type { TransferProgress } from '@longhaul/client';
import { shownBytes, shownPeriod } from '../output/amounts.ts';
import { widthOf } from '../output/display-width.ts';
import { oneLine } from '../output/plain-text.ts';
import { columnsOn, isTerminal } from '../output/terminal.ts';
import { barOf, barWidthOn, shortened } from './bar-line.ts';
import { Drawing } from './drawing.ts';

/** Shows how far a file is: a bar on a terminal, elsewhere one line at its end. */
export interface Transfer extends Disposable {
  progress(progress: TransferProgress): void;
}

export function showTransfer(title: string, isQuiet: boolean, stream: NodeJS.WriteStream = process.stderr): Transfer {
  if (isQuiet) return { progress() {}, [Symbol.dispose]() {} };
  // The name of a file may hold anything.
  const shown = oneLine(title);
  const began = performance.now();
  let last: TransferProgress | null = null;
  const line = ({ done, total }: TransferProgress) => {
    const spent = performance.now() - began;
    const left = done > 0 && done < total && spent > 1_000 ? `  ${shownPeriod((spent * (total - done)) / done)} left` : '';
    const percentage = total === 0 ? 100 : Math.floor((100 * done) / total);
    return { percentage, text: `${String(percentage).padStart(3)}%  ${shownBytes(done)} of ${shownBytes(total)}${left}` };
  };
  const lines = () => {
    if (last === null) return [];
    const { percentage, text } = line(last);
    const columns = columnsOn(stream);
    const rest = ` ${barOf(percentage, barWidthOn(columns))} ${text}`;
    return [`${shortened(shown, columns - widthOf(rest))}${rest}`];
  };
  const drawing = isTerminal(stream) ? new Drawing(stream, lines) : null;
  return {
    progress: (progress) => {
      last = progress;
    },
    [Symbol.dispose]: () => {
      drawing?.[Symbol.dispose]();
      if (drawing === null && last !== null) stream.write(`${shown}: ${line(last).text.trim()}\n`);
    },
  };
}
