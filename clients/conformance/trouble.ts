/** What goes wrong with one call, on purpose. */
export type Trouble =
  /** Not carried out: the server says so. `retryAfter` in seconds. */
  | { kind: 'refused'; status: number; code: string; retryAfter?: number }
  /** Not carried out: what stands between answers with a page of its own. */
  | { kind: 'page'; status: number }
  /** Carried out, and the connection breaks before the answer. */
  | { kind: 'cut' };

/** As the server answers a mutation that was begun. */
export const internal: Trouble = { kind: 'refused', status: 200, code: 'INTERNAL' };

/** What calls are for, as far as trouble goes. */
export type Purpose = 'claim' | 'report' | 'end' | 'other';

/** Thrown where a call is not carried out. */
export class Refused extends Error {
  readonly trouble: Trouble;

  constructor(trouble: Trouble) {
    super('The conformance kit does not carry this out, on purpose.');
    this.trouble = trouble;
  }
}
