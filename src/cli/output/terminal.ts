/** Whether a stream is a terminal on which lines may be drawn again. */
export function isTerminal(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY && process.env['TERM'] !== 'dumb';
}

export type Colour = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

const codes: Record<Colour, number> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 };

/** Colours a text for the stream: not where it is no terminal, nor with NO_COLOR (no-color.org). */
export function colour(stream: NodeJS.WriteStream, name: Colour, text: string): string {
  const { NO_COLOR: none = '' } = process.env;
  return isTerminal(stream) && none === '' ? `\u001B[${codes[name]}m${text}\u001B[0m` : text;
}
