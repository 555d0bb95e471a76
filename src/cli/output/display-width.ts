import { createRequire } from 'node:module';
import type stringWidthOf from 'string-width';

/*
 * How much room a text takes on a terminal: ideographs and emoji take two columns, combining marks none.
 */

/** What most lines are: a column for each character. */
const plain = /^[ -~]*$/;

/** What the other lines need. */
interface Tools {
  stringWidth: typeof stringWidthOf;
  /** Of what a reader sees as one character, and a terminal cannot show a half of. */
  graphemes: Intl.Segmenter;
}

/** Made for the first of them: it would be a quarter of the time that a command takes to start. */
let tools: Tools | null = null;

function toolsOf(): Tools {
  if (tools === null) {
    const { default: stringWidth }: { default: typeof stringWidthOf } = createRequire(import.meta.url)('string-width');
    tools = { stringWidth, graphemes: new Intl.Segmenter() };
  }
  return tools;
}

/** How many columns of a terminal a line takes. */
export function widthOf(line: string): number {
  return plain.test(line) ? line.length : toolsOf().stringWidth(line);
}

/** The line with spaces behind it, up to a width. */
export function padTo(line: string, width: number): string {
  return line + ' '.repeat(Math.max(0, width - widthOf(line)));
}

/** As much of a line as there are columns for, in whole characters. @param mark stands at the end of one that was cut */
export function fit(line: string, width: number, mark = ''): string {
  if (line.length <= width && widthOf(line) <= width) return line;
  const room = width - widthOf(mark);
  if (plain.test(line)) return room < 0 ? '' : `${line.slice(0, room)}${mark}`;
  let used = 0;
  let end = 0;
  for (const { segment, index } of toolsOf().graphemes.segment(line)) {
    used += widthOf(segment);
    if (used > width) return room < 0 ? '' : `${line.slice(0, end)}${mark}`;
    if (used <= room) end = index + segment.length;
  }
  return line;
}
