import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { checkInput } from '../../input.ts';
import { jsonType, parseJson, type JsonValue } from '../../json.ts';
import { RefusedError } from './refusal.ts';

/** Passes any value: what came out of JSON.parse is JSON, and its text is checked with the whole body. */
export const parsedJson: z.ZodType<JsonValue> = z.any();

/** A body whose named fields are checked; other fields are kept as they came. */
export function jsonBody<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.object(shape).catchall(parsedJson);
}

/** The body as it was sent, for a refusal that repeats parts of it; undefined if it is not JSON. */
export function sentBody({ body }: Pick<FastifyRequest, 'body'>): unknown {
  if (!(body instanceof Buffer) || body.length === 0) return undefined;
  try {
    return parseJson(body);
  } catch {
    return undefined;
  }
}

/** The body as the schema gives it; `emptyBody` stands for an absent one. Throws a RefusedError. */
export function checkedBody<Body>({ body, headers }: FastifyRequest, schema: z.ZodType<Body>, emptyBody: unknown): Body {
  const value = body instanceof Buffer && body.length > 0 ? parsed(body, headers['content-type']) : emptyBody;
  if (value === undefined) throw new RefusedError({ kind: 'UNREADABLE_BODY', why: 'empty' });
  const checked = checkInput(schema, value);
  if (!checked.ok) throw new RefusedError({ kind: 'INVALID_BODY', issues: checked.issues });
  return checked.value;
}

function parsed(body: Buffer, type: string | undefined): unknown {
  if (type === undefined || !jsonType.test(type)) throw new RefusedError({ kind: 'UNREADABLE_BODY', why: 'type' });
  try {
    return parseJson(body);
  } catch {
    throw new RefusedError({ kind: 'UNREADABLE_BODY', why: 'syntax' });
  }
}
