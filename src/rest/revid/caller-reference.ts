import { z } from 'zod';

/** The `id` of a request, any string: it comes back in the answer. Anything else counts as absent. */
export const reference = z
  .string()
  .nullish()
  .catch(null)
  .describe("The caller's own reference; it comes back in the answer.");
