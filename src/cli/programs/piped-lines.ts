/** A line of a pipe, its end included. What is longer than one may be comes in pieces. */
export interface PipedLine {
  bytes: Buffer;
  /** false for a piece of a longer line. */
  isWhole: boolean;
}

const newline = 10;
/** Ends a line, too: programs that show a percentage, such as ffmpeg, go back to its beginning. */
const carriageReturn = 13;

/** Cuts what comes into lines. @param most bytes of a line, or of a piece */
export async function* linesOf(pipe: AsyncIterable<Buffer>, most: number): AsyncGenerator<PipedLine> {
  let held: Buffer = Buffer.alloc(0);
  let isAtStart = true;
  for await (const part of pipe) {
    held = held.length === 0 ? part : Buffer.concat([held, part]);
    let from = 0;
    for (let at = 0; at < held.length; at += 1) {
      const isEnd = held[at] === newline || held[at] === carriageReturn;
      if (!isEnd && at + 1 - from < most) continue;
      yield { bytes: held.subarray(from, at + 1), isWhole: isAtStart && isEnd };
      isAtStart = isEnd;
      from = at + 1;
    }
    held = held.subarray(from);
  }
  if (held.length > 0) yield { bytes: held, isWhole: isAtStart };
}
