import { z } from 'zod';

/** The `id` of a request, any string: it comes back in the answer. What is no string is taken for none. */
export const reference = z
  .string()
  .nullish()
  .catch(null)
  .describe("The caller's own reference; it comes back in the answer.");
