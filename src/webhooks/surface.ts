import type { Job } from '../jobs/model/job.ts';
import type { Dialect } from '../workspaces/dialect.ts';
import type { WebhookEvent } from './entities.ts';

/** What a message tells. */
export interface Told {
  deliveryId: string;
  event: WebhookEvent;
  job: Job;
}

/** What a signature is made from. */
export interface Signing {
  /** The text that is sent. */
  body: string;
  /** Of this try. */
  at: Date;
  /** The newest that is valid. */
  secret: string;
  /** Number of this try, 1 for the first. */
  number: number;
}

/** How the webhooks of jobs that came through one surface read. The surface registers it in app.ts. */
export interface WebhookSurface {
  /** Whether the receiver hears of a cancellation; of completions and failures it always does. */
  tellsOfCancellation: boolean;
  /** The body. It must be the same at every try, so it must not depend on the clock or the process. */
  payload(told: Told): object;
  /** Headers beside those of Standard Webhooks. */
  headers?(told: Told, signing: Signing): Record<string, string>;
}

export type WebhookSurfaces = Readonly<Record<Dialect, WebhookSurface>>;
