import { Fatal } from '@longhaul/client/worker';

/** What standard output is taken for: `auto` is JSON where it is JSON, else text. */
export type OutputForm = 'auto' | 'json' | 'text';

export const outputForms: readonly OutputForm[] = ['auto', 'json', 'text'];

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

  /** Undefined where nothing was printed. @throws Fatal INVALID_OUTPUT */
  value(): unknown {
    const text = this.#text();
    if (text.trim() === '') return undefined;
    if (this.#form === 'text') return { text: text.trimEnd() };
    try {
      return JSON.parse(text);
    } catch (error) {
      if (this.#form === 'auto') return { text: text.trimEnd() };
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
