import type { Dialect } from '../../workspaces/dialect.ts';
import type { JsonObject } from '../model/job.ts';

/** Where a job comes from, beside what its submitter asked for. */
export interface JobOrigin {
  dialect: Dialect;
  clientReference?: string | null;
  retryOfId?: string | null;
}

/** A checked job that waits for its insertion. */
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
