import { z } from 'zod';
import { httpUrl } from '../../input.ts';
import type { Dialect } from '../../workspaces/dialect.ts';
import { type JsonObject, type JsonValue, isJsonObject } from '../../json.ts';

/** A request to create a job. */
export interface JobRequest {
  /** A registered job type. */
  type: string;
  /** Must match the type's schema, at most MAX_INPUT_BYTES as JSON. {} by default. */
  input?: JsonObject | null | undefined;
  /** Minutes of head start over jobs of the same workspace and type, -100 to 100. 0 by default. */
  priority?: number | null | undefined;
  /** The job does not start before this instant. */
  runAt?: Date | null | undefined;
  /** At most 20 tags of 1 to 100 characters. */
  tags?: string[] | null | undefined;
  /** An http or https URL of at most 2,048 characters, called when the job has ended. */
  webhookUrl?: string | null | undefined;
  /** 1 to 100. The type's own number by default. */
  maxAttempts?: number | null | undefined;
  /** 1 to 255 characters. The same key and request within 24 hours return the same job, charged once. */
  idempotencyKey?: string | null | undefined;
}

/** Where a job comes from. Not part of the submitter's request. */
export interface JobOrigin {
  dialect: Dialect;
  clientReference?: string | null;
  retryOfId?: string | null;
  /** What the client sent, if a surface made the request from it. An idempotency key stands for this. */
  sent?: JsonValue;
}

export const idempotencyKey = z.string().min(1).max(255);

const earliest = new Date('2000-01-01T00:00:00Z');
const tooLate = new Date('+010000-01-01T00:00:00Z');

/** Checks a JobRequest, apart from what its type says. */
export const jobRequest = z.object({
  type: z.string().min(1).max(100),
  // Accepts any object: parseInput checks its text, and the job type's schema checks its fields.
  input: z.custom<JsonObject>(isJsonObject, { error: 'expected an object' }).nullish(),
  priority: z.int().min(-100).max(100).nullish(),
  runAt: z.date().refine((at) => at >= earliest && at < tooLate, { error: 'must be in the years 2000 to 9999' }).nullish(),
  tags: z.array(z.string().min(1).max(100)).max(20).nullish(),
  webhookUrl: httpUrl.nullish(),
  maxAttempts: z.int().min(1).max(100).nullish(),
  idempotencyKey: idempotencyKey.nullish(),
});
