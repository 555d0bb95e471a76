import { LRUCache } from 'lru-cache';
import type { Job } from '../../jobs/model/job.ts';
import type { KnownJob } from '../../jobs/read/job-reads.ts';
import { isFinal } from '../../jobs/model/state-machine.ts';
import { answer, type Answer, jobIdHeader } from './answer.ts';
import type { DialectProfile } from './dialect-profile.ts';
import { entityTag, hasExpired } from './entity-tag.ts';

/** A job as a dialect shows it at one version: every answer that a poll of it can get. */
export interface ShownJob extends KnownJob {
  isFinal: boolean;
  /** Whether its file had expired. */
  expired: boolean;
  /** That of the job types, which say what is hidden. */
  typesRevision: number;
  etag: string;
  full: Answer;
  /** For a client that has it already. */
  notModified: Answer;
}

/** What an answer depends on beside the job. */
interface Moment {
  at: Date;
  /** `JobTypes.revision`. */
  typesRevision: number;
}

/** The job, rendered. */
export function shownJob(job: Job, body: object, { at, typesRevision }: Moment): ShownJob {
  const full = answer(200, body);
  const etag = entityTag(full.body);
  const headers = { etag, ...jobIdHeader(job) };
  return {
    id: job.id,
    workspaceId: job.workspaceId,
    version: job.version,
    artifactExpiresAt: job.artifactExpiresAt,
    isFinal: isFinal(job.status),
    expired: hasExpired(job.artifactExpiresAt, at),
    typesRevision,
    etag,
    full: { ...full, headers },
    notModified: { status: 304, body: '', headers },
  };
}

/** Whether its file has expired since, or another part of its input may have to be hidden. */
export function isOutdated({ artifactExpiresAt, expired, ...shown }: ShownJob, { at, typesRevision }: Moment): boolean {
  return hasExpired(artifactExpiresAt, at) !== expired || shown.typesRevision !== typesRevision;
}

/** Bytes of memory for the answers that are kept. */
const mostBytes = 32 * 1024 * 1024;

/** What an answer takes beside its text, roughly, in bytes. */
const overhead = 1_024;

/**
 * The newest answers of each dialect, so that a job that has not changed is rendered once for all its pollers. Every poll
 * still asks the database which version the job has and whose it is.
 */
export class ShownJobs {
  readonly #kept = new LRUCache<string, ShownJob>({
    maxSize: mostBytes,
    // One huge answer must not displace all others.
    maxEntrySize: mostBytes / 16,
    // Text beyond Latin-1 takes two bytes a character.
    sizeCalculation: ({ full }) => 2 * full.body.length + overhead,
  });

  get(dialect: DialectProfile, id: string): ShownJob | undefined {
    return this.#kept.get(keyOf(dialect, id));
  }

  keep(dialect: DialectProfile, shown: ShownJob): void {
    this.#kept.set(keyOf(dialect, shown.id), shown);
  }
}

function keyOf({ name }: DialectProfile, id: string): string {
  return `${name} ${id}`;
}
