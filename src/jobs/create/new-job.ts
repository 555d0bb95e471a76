import type { JsonObject } from '../../json.ts';
import type { JobOrigin } from './job-request.ts';
import type { RequestKey } from './request-key.ts';

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
  key: RequestKey | null;
  origin: JobOrigin;
}
