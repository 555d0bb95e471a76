import { type JsonObject, type JsonValue, isJsonObject } from '../../json.ts';

/** A result as an object, for fields that are documented as one: anything else is wrapped. */
export function wrapped(output: JsonValue): JsonObject {
  return isJsonObject(output) ? output : { value: output };
}

/** What a cancelled job says in dialects without that state: their clients would poll for ever on a word they do not know. */
export const cancelledMessage = 'Job was cancelled';
