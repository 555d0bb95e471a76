import { z } from 'zod';
import { httpUrl } from '../../input.ts';
import type { Dialect } from '../../workspaces/dialect.ts';
import type { Submitter } from '../../workspaces/viewer.ts';
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
  /** The submitter's own name for the job, at most 255 characters. Not unique. */
  clientReference?: string | null | undefined;
  /** 1 to 255 characters. Of the workspace's jobs with this key, at most `concurrencyLimit` run at once, whatever their types. */
  concurrencyKey?: string | null | undefined;
  /** 1 to 1,000; 1 where only the key is given. In force is the limit of the key's job that was created last. */
  concurrencyLimit?: number | null | undefined;
  /** 1 to 255 characters. The same key and request within 24 hours return the same job, charged once. */
  idempotencyKey?: string | null | undefined;
}

/** Where a job comes from. Not part of the submitter's request. */
export interface JobOrigin {
  dialect: Dialect;
  /** What stands for the request's own: that of a retried job, or of a dialect whose references are longer. */
  clientReference?: string | null;
  retryOfId?: string | null;
  /** The schedule whose occurrence it is. */
  scheduleId?: string | null;
  /** The access token that asks; null for a key. */
  submitter?: Submitter | null;
  /** What the client sent, if a surface made the request from it. An idempotency key stands for this. */
  sent?: JsonValue;
}

export const idempotencyKey = z.string().min(1).max(255);

/** Of one job. */
export const mostTags = 20;

const earliest = new Date('2000-01-01T00:00:00Z');
const tooLate = new Date('+010000-01-01T00:00:00Z');

/** Checks a JobRequest, apart from what its type says. */
export const jobRequest = z.object({
  type: z.string().min(1).max(100),
  // Accepts any object: parseInput checks its text, and the job type's schema checks its fields.
  input: z.custom<JsonObject>(isJsonObject, { error: 'expected an object' }).nullish(),
  priority: z.int().min(-100).max(100).nullish(),
  runAt: z.date().refine((at) => at >= earliest && at < tooLate, { error: 'must be in the years 2000 to 9999' }).nullish(),
  tags: z.array(z.string().min(1).max(100)).max(mostTags).nullish(),
  webhookUrl: httpUrl.nullish(),
  maxAttempts: z.int().min(1).max(100).nullish(),
  clientReference: z.string().max(255).nullish(),
  concurrencyKey: z.string().min(1).max(255).nullish(),
  concurrencyLimit: z.int().min(1).max(1_000).nullish(),
  idempotencyKey: idempotencyKey.nullish(),
}).refine(({ concurrencyKey, concurrencyLimit }) => concurrencyKey != null || concurrencyLimit == null, {
  path: ['concurrencyLimit'],
  error: 'needs a concurrencyKey: it is the limit of that key',
});
