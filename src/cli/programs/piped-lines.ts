/** A line of a pipe, its end included. What is longer than one may be comes in pieces. */
interface PipedLine {
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
    // What is held already has no end of a line.
    const seen = held.length;
    held = seen === 0 ? part : Buffer.concat([held, part]);
    let from = 0;
    for (let at = seen; at < held.length; at += 1) {
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

/** Cuts bytes into pieces, between the characters of UTF-8. @param most bytes of a piece */
export function* piecesOf(bytes: Buffer, most: number): Generator<Buffer> {
  let from = 0;
  while (bytes.length - from > most) {
    let to = from + most;
    // A character has four bytes at most, of which the later ones begin with the bits 10.
    while (to > from + most - 4 && ((bytes[to] ?? 0) & 0b1100_0000) === 0b1000_0000) to -= 1;
    yield bytes.subarray(from, to);
    from = to;
  }
  yield bytes.subarray(from);
}
