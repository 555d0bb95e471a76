import type { Job } from '../jobs/model/job.ts';
import type { Dialect } from '../workspaces/dialect.ts';
import type { WebhookEvent } from './entities.ts';

/** The content of a message. */
export interface WebhookMessage {
  deliveryId: string;
  event: WebhookEvent;
  /** Without its secrets: see `JobTypes.shown`. */
  job: Job;
}

/** The inputs of a signature. */
interface Signing {
  /** The exact text that is sent. */
  body: string;
  /** When this try is made. */
  at: Date;
  /** The newest valid secret. */
  secret: string;
  /** The number of this try, from 1. */
  number: number;
}

/** The webhook format of the jobs that came through one surface. Each surface registers its own in app.ts. */
export interface WebhookSurface {
  /** Whether to send a webhook when a job is cancelled. Completions and failures are always sent. */
  notifiesOfCancellation: boolean;
  /** The body. It must be the same for every try, so it must not depend on the clock or the process. */
  payload(message: WebhookMessage): object;
  /** Headers in addition to those of Standard Webhooks. */
  headers?(message: WebhookMessage, signing: Signing): Record<string, string>;
}

export type WebhookSurfaces = Readonly<Record<Dialect, WebhookSurface>>;
