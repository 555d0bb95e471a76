import { LRUCache } from 'lru-cache';
import type { Job } from '../../jobs/model/job.ts';
import type { KnownJob } from '../../jobs/read/job-reads.ts';
import { isFinal } from '../../jobs/model/state-machine.ts';
import { answer, type Answer } from './answer.ts';
import type { RestDialect } from './rest-dialect.ts';
import { entityTag, hasExpired } from './entity-tag.ts';

/** A job as a dialect shows it at one version: whatever a poll of it can be answered with. */
export interface ShownJob extends KnownJob {
  isFinal: boolean;
  /** Whether its file could no longer be downloaded. */
  expired: boolean;
  etag: string;
  full: Answer;
  /** For a client that has it already. */
  notModified: Answer;
}

/** The job, rendered. */
export function shownJob(dialect: RestDialect, job: Job, body: object, at: Date): ShownJob {
  const etag = entityTag(dialect, job, at);
  return {
    id: job.id,
    workspaceId: job.workspaceId,
    version: job.version,
    artifactExpiresAt: job.artifactExpiresAt,
    isFinal: isFinal(job.status),
    expired: hasExpired(job.artifactExpiresAt, at),
    etag,
    full: answer(200, body, { etag }),
    notModified: { status: 304, body: '', headers: { etag } },
  };
}

/** Whether its file has gone since. */
export function isOutdated({ artifactExpiresAt, expired }: ShownJob, at: Date): boolean {
  return hasExpired(artifactExpiresAt, at) !== expired;
}

/** Bytes of memory for answers that are kept. */
const mostBytes = 32 * 1024 * 1024;

/** What an answer takes beside its text, roughly, in bytes. */
const overhead = 1_024;

/**
 * The newest answers of each dialect, so that a job which has not changed is rendered once for all its pollers. Which
 * version is the job's, and whose it is, the database is asked each time: nothing here is believed by itself.
 */
export class ShownJobs {
  readonly #kept = new LRUCache<string, ShownJob>({
    maxSize: mostBytes,
    // One giant must not displace all others.
    maxEntrySize: mostBytes / 16,
    // Text beyond Latin-1 takes two bytes a character.
    sizeCalculation: ({ full }) => 2 * full.body.length + overhead,
  });

  get(dialect: RestDialect, id: string): ShownJob | undefined {
    return this.#kept.get(keyOf(dialect, id));
  }

  keep(dialect: RestDialect, shown: ShownJob): void {
    this.#kept.set(keyOf(dialect, shown.id), shown);
  }
}

function keyOf({ name }: RestDialect, id: string): string {
  return `${name} ${id}`;
}
