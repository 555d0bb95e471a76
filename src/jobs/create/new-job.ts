import type { JsonObject } from '../../json.ts';
import type { JobOrigin } from './job-request.ts';
import type { RequestKey } from './request-key.ts';

/** An upload that the input of a new job names. */
export interface NamedUpload {
  id: string;
  /** As it stands in the input. */
  reference: string;
  /** Where it stands, in what the client sent. */
  path: string[];
}

/** A validated job, ready to insert. */
export interface NewJob {
  id: string;
  ledgerId: string;
  type: string;
  input: JsonObject;
  priority: number;
  runAt: Date | null;
  tags: string[];
  webhookUrl: string | null;
  maxAttempts: number;
  clientReference: string | null;
  concurrencyKey: string | null;
  /** Null without a key. */
  concurrencyLimit: number | null;
  credits: number;
  /** Those that the input names. */
  uploads: NamedUpload[];
  key: RequestKey | null;
  origin: JobOrigin;
}
