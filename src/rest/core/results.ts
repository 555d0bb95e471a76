import type { JsonObject, JsonValue } from '../../jobs/model/job.ts';
import { isJsonObject } from '../../jobs/types/job-type.ts';

/** A result that is no object is wrapped where the field is documented as one. */
export function wrapped(output: JsonValue): JsonObject {
  return isJsonObject(output) ? output : { value: output };
}

/** What a cancelled job says in dialects that know no such state: their clients would poll a further word for ever. */
export const cancelledMessage = 'Job was cancelled';
