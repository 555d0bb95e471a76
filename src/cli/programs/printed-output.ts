import { Fatal } from '@longhaul/client/worker';
import { parseExactly } from '../exact-json.ts';

export const outputForms = ['auto', 'json', 'text'] as const;

/** What standard output is taken for: `auto` is JSON where it is JSON, else text. */
export type OutputForm = (typeof outputForms)[number];

/** More than any server takes as an output: what is large goes into a file. */
const mostBytes = 16 * 1024 * 1024;

/** What a program prints on standard output, as the output of its job. */
export class PrintedOutput {
  readonly #form: OutputForm;
  readonly #parts: Buffer[] = [];
  #bytes = 0;

  constructor(form: OutputForm) {
    this.#form = form;
  }

  /** @throws Fatal OUTPUT_TOO_LARGE */
  add(part: Buffer): void {
    this.#bytes += part.length;
    if (this.#bytes > mostBytes) throw new Fatal('OUTPUT_TOO_LARGE', `The command printed more than ${mostBytes} bytes. Let it write files into $LONGHAUL_OUTPUT.`);
    this.#parts.push(part);
  }

  /** Undefined where nothing was printed that had to be JSON or text. @throws Fatal INVALID_OUTPUT */
  value(): unknown {
    const printed = this.#text();
    const text = printed.trimEnd();
    if (this.#form === 'text') return { text };
    if (text === '') {
      if (this.#form === 'auto') return undefined;
      throw new Fatal('INVALID_OUTPUT', 'The command printed nothing, which is no JSON. Let it print null where it has no output.');
    }
    try {
      return parseExactly(printed);
    } catch (error) {
      // It is JSON, but would not arrive as it was printed.
      if (error instanceof RangeError) throw new Fatal('INVALID_OUTPUT', `In what the command printed, ${error.message}`);
      if (this.#form === 'auto') return { text };
      throw new Fatal('INVALID_OUTPUT', `What the command printed is no JSON: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #text(): string {
    const bytes = Buffer.concat(this.#parts);
    try {
      if (!bytes.includes(0)) return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      // Told below.
    }
    throw new Fatal('INVALID_OUTPUT', 'What the command printed is no text in UTF-8. Let it write files into $LONGHAUL_OUTPUT.');
  }
}
