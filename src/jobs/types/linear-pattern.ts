import { RE2JS } from 're2js';

/** A `pattern` of a JSON Schema. */
class LinearPattern {
  readonly #text: string;
  readonly #compiled: RE2JS;

  /** @throws Error for a pattern that RE2 does not know */
  constructor(text: string) {
    this.#text = text;
    try {
      this.#compiled = RE2JS.compile(RE2JS.translateRegExp(text));
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new Error(
        `the pattern ${JSON.stringify(text)} cannot run in linear time (${reason}). Write it as RE2 takes it: without ` +
          'look-around, without back-references, and with at most 1,000 repetitions.',
        { cause },
      );
    }
  }

  test(text: string): boolean {
    return this.#compiled.matcher(text).find();
  }

  /** Ajv takes two patterns of the same text for one. */
  toString(): string {
    return this.#text;
  }
}

/**
 * Compiles a pattern for Ajv. It runs in linear time (RE2): with backtracking, the text of a single job could stop the
 * process for hours.
 */
export const linearPattern = Object.assign((text: string) => new LinearPattern(text), { code: 'linearPattern' });
