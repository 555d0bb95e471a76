import { z } from 'zod';
import type { JsonValue } from '../../jobs/model/job.ts';

/** Not looked at: what was parsed from JSON is JSON, and its text is checked with the whole body. */
export const parsedJson: z.ZodType<JsonValue> = z.any();

/** A body whose named fields are checked and whose others are kept as they came. */
export function jsonBody<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.object(shape).catchall(parsedJson);
}
