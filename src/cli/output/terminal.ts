import type { styleText } from 'node:util';

/** What `styleText` takes; it heeds NO_COLOR (no-color.org), and whether its stream is a terminal. */
export type Colour = Parameters<typeof styleText>[0];

/** Whether a stream is a terminal on which lines may be drawn again. */
export function isTerminal(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY && process.env['TERM'] !== 'dumb';
}

/** How wide a terminal is; without end where it does not say, as some that have no window. */
export function columnsOn(stream: NodeJS.WriteStream): number {
  return stream.columns || Infinity;
}
