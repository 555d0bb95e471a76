import { isTerminal } from '../output/terminal.ts';
import { Bars } from './bars.ts';
import { ChangeLines } from './change-lines.ts';
import type { Display } from './display.ts';

/** Bars on a terminal, elsewhere a line a change; on standard error, so that standard output is for data. */
export function displayOn(stream: NodeJS.WriteStream, isQuiet: boolean): Display {
  if (isQuiet) return { show() {}, [Symbol.dispose]() {} };
  return isTerminal(stream) ? new Bars(stream) : new ChangeLines(stream);
}
