import { setTimeout as delay } from 'node:timers/promises';
import { Loop } from '../../concurrency/loop.ts';
import type { Database } from '../../database/database.ts';
import { createdAtOf, firstIdOf, newId } from '../../database/ids.ts';
import type { Log } from '../../log.ts';
import { deleteLogs, haveLongLogs } from '../logs/delete.ts';
import { sqlIs } from '../model/state-machine.ts';
import type { JobTypes } from '../types/registry.ts';
import { deleteEnded, type RemoveFile } from './delete-jobs.ts';

const pollMilliseconds = 60_000;

/** Jobs that one step looks at, and removes at most. */
const stepSize = 250;

/** Jobs that were passed by, because they had not ended for long, are looked at again after this time. */
const againMilliseconds = 6 * 3_600_000;

/** The most jobs that are looked at to count what is due. */
const mostCounted = 20_000;

const day = 24 * 3_600_000;

/** Job types whose jobs are kept equally long after their end. */
interface Term {
  days: number;
  types: string[];
  /** Whether all types but these are meant. */
  isRest: boolean;
}

/** How far a walk along the ids of all jobs has come. It is kept in memory: another process, or this one after a start, has its own. */
interface Walk {
  passedId: string;
  beganAt: number;
}

/*
 * Jobs are found in order of their ids, which is that of their creation, and so need no index on when they ended: what ended
 * long enough ago was created before that. The walk goes on where it was, past the few that stay and past the index entries of
 * those that are gone, which the vacuum has still to remove.
 */
const looked = `
  SELECT job.id, job.type, ${sqlIs.final} AND job.finished_at < now() - make_interval(days => $5::int) AND (job.type = ANY ($3::text[])) <> $4::boolean AS due
  FROM job WHERE job.id > $1::uuid AND job.id < $2::uuid ORDER BY job.id`;

const find = `
  WITH looked AS MATERIALIZED (${looked} LIMIT ${stepSize})
  SELECT count(*)::int AS count, max(id::text) AS last,
    ARRAY(
      SELECT job.id FROM job WHERE job.id = ANY (ARRAY(SELECT id FROM looked WHERE due)) ORDER BY job.id FOR UPDATE SKIP LOCKED
    )::text[] AS due
  FROM looked`;

const count = `SELECT count(*)::int AS jobs FROM (${looked} LIMIT ${mostCounted}) AS looked WHERE due`;

interface RetentionParts {
  database: Database;
  types: JobTypes;
  /** How long jobs are kept after their end, where their type says nothing else; 0 for ever. */
  days: number;
  removeFile: RemoveFile;
  log: Log;
}

/**
 * Removes jobs some time after their end, with all that hangs on them. Every process does, in small steps, and rests after each
 * for as long as it took: that leaves the database to others, and the vacuum time.
 */
export class JobRetention {
  readonly #parts: RetentionParts;
  readonly #walks = new Map<number, Walk>();
  readonly #stopping = new AbortController();
  readonly loop: Loop;

  constructor(parts: RetentionParts) {
    this.#parts = parts;
    this.loop = new Loop({
      name: 'removing old jobs',
      work: async () => ((await this.#stepOfEach()) ? 'more' : undefined),
      pollMilliseconds,
      log: parts.log,
    });
  }

  /** May be called twice. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.loop.stop();
  }

  /** How many jobs are due to be removed, of the next 20,000 that are old enough. */
  async backlog(): Promise<number> {
    let jobs = 0;
    for (const term of this.#terms()) {
      const [row] = await this.#parts.database.reads.query<{ jobs: number }>(count, this.#parametersOf(term));
      jobs += row?.jobs ?? 0;
    }
    return jobs;
  }

  /** Returns whether there may be more. */
  async #stepOfEach(): Promise<boolean> {
    let isMore = false;
    for (const term of this.#terms()) {
      const start = performance.now();
      isMore = (await this.#step(term)) || isMore;
      await delay(performance.now() - start, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
    }
    return isMore;
  }

  async #step(term: Term): Promise<boolean> {
    const { database, removeFile } = this.#parts;
    const walk = this.#walkOf(term);
    const step = await database.transaction(async (transaction) => {
      const [found] = await transaction.query<{ count: number; last: string | null; due: string[] }>(find, this.#parametersOf(term));
      const due = found?.due ?? [];
      // This transaction would take long, with locks and one connection. The next step finds the same jobs, without their logs.
      if (await haveLongLogs(transaction, due)) return { longLogs: due };
      return { ...found, files: await deleteEnded(transaction, due) };
    });
    if ('longLogs' in step) {
      await deleteLogs(database.reads, step.longLogs);
      return true;
    }
    for (const file of step.files) await removeFile(file);
    walk.passedId = step.last ?? walk.passedId;
    if (step.count === stepSize) return true;
    if (performance.now() - walk.beganAt > againMilliseconds) this.#walks.delete(term.days);
    return false;
  }

  #parametersOf(term: Term): unknown[] {
    const bound = firstIdOf(createdAtOf(newId()).getTime() - term.days * day);
    return [this.#walkOf(term).passedId, bound, term.types, term.isRest, term.days];
  }

  #walkOf({ days }: Term): Walk {
    const walk = this.#walks.get(days) ?? { passedId: firstIdOf(0), beganAt: performance.now() };
    this.#walks.set(days, walk);
    return walk;
  }

  /** One for each length of time. Jobs that are kept for ever are in none. */
  #terms(): Term[] {
    const { types, days: usual } = this.#parts;
    const own = types.all().filter(({ retentionDays }) => retentionDays !== undefined && retentionDays !== usual);
    const byDays = Map.groupBy(own, ({ retentionDays = usual }) => retentionDays);
    const terms = [...byDays].map(([days, alike]): Term => ({ days, types: alike.map(({ name }) => name), isRest: false }));
    return [...terms, { days: usual, types: own.map(({ name }) => name), isRest: true }].filter(({ days }) => days > 0);
  }
}
