import type { Dialect } from '../../workspaces/dialect.ts';
import type { JsonObject } from '../model/job.ts';

/** Where a job comes from. Not part of the submitter's request. */
export interface JobOrigin {
  dialect: Dialect;
  clientReference?: string | null;
  retryOfId?: string | null;
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
  credits: number;
  key: { text: string; requestHash: string } | null;
  origin: JobOrigin;
}
