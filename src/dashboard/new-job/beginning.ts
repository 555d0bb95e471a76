import { noOptions, type Options } from './job-options.ts';

/** With what the form begins. */
export interface Beginning {
  /** The job that it repeats; null for one from scratch. */
  from: string | null;
  type: string | null;
  input: Record<string, unknown>;
  options: Options;
}

export const scratch: Beginning = { from: null, type: null, input: {}, options: noOptions };
