import { sqlRevoked } from '../../workspaces/keys-in-force.ts';
import type { JobsContext } from '../model/context.ts';
import type { WorkspaceScope } from '../model/workspace-scope.ts';
import type { Job } from '../model/job.ts';
import { limited, met, units, unlimited } from './limits.ts';
import { isInLine } from '../model/parking.ts';
import { type JobRow, jobColumns, jobFromRow } from '../model/rows.ts';
import { initialStatus, sqlIs, transitions } from '../model/state-machine.ts';

/** The parameters of one claim statement. */
export interface ClaimRound {
  scope: WorkspaceScope;
  types: readonly string[];
  /** Limits the claim to these jobs. Null for any job. */
  jobIds: readonly string[] | null;
  /** One worker id per attempt that may start, in the order in which attempts are handed out. */
  workerIds: readonly string[];
  /** The key of these workers; null for the built-in worker. */
  apiKeyId: string | null;
  /** The workspace that had the last turn. The one after it goes first. */
  after: string;
  /** The most workspaces to look at. */
  workspaces: number;
  /** Workspaces that get nothing. Only for claims in every workspace that name no jobs. */
  without: readonly string[];
  /** Whether it sees to limits. If not, and there is one, nothing starts. */
  limits: boolean;
}

/** An attempt that has just started. */
export interface StartedAttempt {
  job: Job;
  token: string;
  expiresAt: Date;
  /** How long the lease lasts from each report on. Workers time their heartbeats by it, never by `expiresAt`. */
  leaseSeconds: number;
}

export interface ClaimRoundResult {
  started: StartedAttempt[];
  /** The workspace that had the last turn, where the next round continues. */
  after: string;
  /** Whether the round looked at every workspace with claimable work. */
  wentRound: boolean;
  /** Whether it met a workspace with a limit, or a job with a concurrency key. */
  meetsLimit: boolean;
}

/** Sorts before every workspace id. */
export const firstWorkspace = '00000000-0000-0000-0000-000000000000';

/** The full key of job_dispatch_index. With the workspace alone, the planner may pick an index full of ended jobs. */
const inQueueOrder = 'job.workspace_id, job.type, job.dispatch_at, job.id';

/*
 * A loose index scan for workspaces with claimable work, in id order, starting after $5 and wrapping around once. It
 * takes one descent of job_dispatch_index per workspace, however many jobs wait in it.
 */
const turnsOfAll = `
  turn (workspace_id, place, wrapped) AS (
    SELECT * FROM (
      (SELECT job.workspace_id, 1, false FROM job
       WHERE ${sqlIs.claimable} AND job.workspace_id > $5::uuid ORDER BY ${inQueueOrder} LIMIT 1)
      UNION ALL
      (SELECT job.workspace_id, 1, true FROM job WHERE ${sqlIs.claimable} ORDER BY ${inQueueOrder} LIMIT 1)
    ) AS first LIMIT 1
  ), turns AS (
    SELECT * FROM turn
    UNION ALL
    SELECT following.* FROM turns CROSS JOIN LATERAL (
      SELECT * FROM (
        (SELECT job.workspace_id, turns.place + 1, turns.wrapped FROM job
         WHERE ${sqlIs.claimable} AND job.workspace_id > turns.workspace_id ORDER BY ${inQueueOrder} LIMIT 1)
        UNION ALL
        (SELECT job.workspace_id, turns.place + 1, true FROM job
         WHERE ${sqlIs.claimable} AND NOT turns.wrapped ORDER BY ${inQueueOrder} LIMIT 1)
      ) AS either LIMIT 1
    ) AS following (workspace_id, place, wrapped)
    WHERE turns.place < $6::int AND NOT (following.wrapped AND following.workspace_id > $5::uuid)
  )`;

/** The single workspace of a WORK key. The rotation parameters have no meaning here. */
const turnOfOne = `
  turns (workspace_id, place, wrapped) AS (
    SELECT $8::uuid, 1, true WHERE $5::uuid IS NOT NULL AND $6::int IS NOT NULL
  )`;

/** Only the jobs that the claim names, found by id. */
const turnsOfNamed = `
  named AS MATERIALIZED (
    SELECT job.* FROM job
    WHERE job.id = ANY($9::uuid[]) AND ${sqlIs.claimable} AND ($8::uuid IS NULL OR job.workspace_id = $8::uuid)
  ),
  turns (workspace_id, place, wrapped) AS (
    SELECT named.workspace_id, 1, true FROM named
    WHERE $5::uuid IS NOT NULL AND $6::int IS NOT NULL GROUP BY named.workspace_id
  )`;

/** What differs between the statements. */
interface Parts {
  turns: string;
  queue: 'job' | 'named AS job';
  condition: string;
  /** The candidates that may start, where there is no limit to see to. */
  allowed: string;
  /** Which of the workspaces are looked at: all by default. */
  open?: string;
}

/*
 * Reads candidates without locks, and a few more than wanted, so that competing claims at the same head of the queue
 * still find work behind each other. Then it locks them one by one until there are enough. Paused workspaces and types have
 * no candidates, however many of their jobs wait. Nor has a key that was revoked while its claim waited: its claims here end
 * up to two seconds later, and no message has to arrive for that.
 *
 * The lateral lookups have a LIMIT or a lock clause of their own on purpose: this keeps them from being flattened into joins,
 * which the planner might answer by reading all of the table.
 */
function statement({ turns, queue, condition, allowed, open = '' }: Parts, limits: boolean): string {
  return `
  WITH RECURSIVE ${turns},
  wanted AS (
    SELECT * FROM unnest($1::text[], $2::int[], $3::int[]) AS wanted(type, lease_seconds, timeout_seconds)
    WHERE NOT EXISTS (SELECT FROM paused_job_type WHERE paused_job_type.name = wanted.type)
      AND NOT EXISTS (${sqlRevoked('$7::uuid')})
  ),
  open AS MATERIALIZED (
    SELECT turns.workspace_id, turns.place, its.concurrency_limit FROM turns CROSS JOIN LATERAL (
      SELECT workspace.concurrency_limit FROM workspace
      WHERE workspace.id = turns.workspace_id AND NOT workspace.paused LIMIT 1
    ) AS its${open}
  ),
  candidate AS MATERIALIZED (
    SELECT head.*, open.workspace_id, open.place AS turn, open.concurrency_limit, wanted.lease_seconds, wanted.timeout_seconds
    FROM open CROSS JOIN wanted CROSS JOIN LATERAL (
      SELECT job.id, job.dispatch_at, job.concurrency_key FROM ${queue}
      WHERE ${condition} AND job.workspace_id = open.workspace_id AND job.type = wanted.type
      ORDER BY job.dispatch_at, job.id LIMIT 2 * cardinality($4::text[]) + 8
    ) AS head
  ),
  ${met},
  ${limits ? limited : allowed},
  winner AS MATERIALIZED (
    SELECT allowed.*, row_number() OVER () AS ordinal FROM (
      SELECT allowed.* FROM allowed CROSS JOIN LATERAL (
        SELECT FROM job WHERE job.id = allowed.id AND ${sqlIs.claimable} FOR UPDATE SKIP LOCKED
      ) AS locked
      LIMIT cardinality($4::text[])
    ) AS allowed
  ),
  started AS (
    UPDATE job SET status = '${transitions.claim.to}', attempt = job.attempt + 1, version = job.version + 1,
      progress_step = NULL, progress_message = NULL, progress_percentage = NULL, progress_peak = NULL,
      started_at = coalesce(job.started_at, now()), status_changed_at = now(), updated_at = now()
    -- ANY (ARRAY) forces the index: the planner cannot know the LIMIT, and may expect many winners.
    FROM winner WHERE job.id = winner.id AND job.id = ANY (ARRAY(SELECT id FROM winner))
    RETURNING job.*, winner.turn, winner.ordinal, winner.slot, gen_random_uuid() AS token,
      ($4::text[])[winner.ordinal] AS worker_id, $7::uuid AS api_key_id, winner.lease_seconds,
      now() + make_interval(secs => winner.timeout_seconds) AS deadline_at,
      now() + make_interval(secs => least(winner.lease_seconds, winner.timeout_seconds)) AS expires_at
  ),
  leased AS (
    INSERT INTO lease (job_id, workspace_id, attempt, token, worker_id, api_key_id, due_at, started_at, expires_at, deadline_at, seconds,
      slot, concurrency_key)
    SELECT id, workspace_id, attempt, token, worker_id, api_key_id, due_at, now(), expires_at, deadline_at, lease_seconds,
      slot, concurrency_key FROM started
  ),
  logged AS (
    INSERT INTO job_change (workspace_id, job_id, version, previous_status, status, type, attempt, failed_attempts, due_at)
    SELECT workspace_id, id, version, '${initialStatus}', status, type, attempt, failed_attempts, due_at FROM started
  )${limits ? units : ''}
  SELECT ${jobColumns('started')}, started.token, started.expires_at, started.lease_seconds, started.turn, started.ordinal,
    seen.workspaces AS seen_workspaces, seen.last AS last_seen, (SELECT limits FROM met) AS meets_limit
  FROM (SELECT count(*)::int AS workspaces, (array_agg(workspace_id ORDER BY place DESC))[1] AS last FROM turns) AS seen
  LEFT JOIN started ON true
  ORDER BY started.ordinal`;
}

/** A job that its key has parked may be named, and starts if there is a seat. */
const inLine = `${sqlIs.claimable} AND ${isInLine}`;

/** Most claims meet no limit, and what sees to limits is a good part of the work of a claim that takes one job, or none. */
function withAndWithoutLimits(parts: Parts) {
  return { limits: statement(parts, true), noLimits: statement(parts, false) };
}

const statements = {
  // Not in the scan for turns: it would walk over all that waits of a workspace that gets nothing.
  all: withAndWithoutLimits({ turns: turnsOfAll, queue: 'job', condition: inLine, allowed: unlimited.ofSeveral, open: ' WHERE turns.workspace_id <> ALL ($8::uuid[])' }),
  one: withAndWithoutLimits({ turns: turnOfOne, queue: 'job', condition: inLine, allowed: unlimited.ofOne }),
  named: withAndWithoutLimits({ turns: turnsOfNamed, queue: 'named AS job', condition: sqlIs.claimable, allowed: unlimited.ofSeveral }),
};

type ResultRow = { seen_workspaces: number; last_seen: string | null; meets_limit: boolean } & (
  | (JobRow & { token: string; expires_at: string; lease_seconds: number; ordinal: string | number })
  | { id: null }
);

/**
 * PENDING → RUNNING for up to one job per worker id. Workspaces take turns, within their concurrency limits. Finding
 * nothing is not an error. Concurrent claims never wait for each other.
 */
export async function claimRound(context: JobsContext, round: ClaimRound): Promise<ClaimRoundResult> {
  const { scope, jobIds } = round;
  const types = round.types.flatMap((name) => context.types.get(name) ?? []);
  const parameters: unknown[] = [
    types.map(({ name }) => name),
    types.map(({ leaseSeconds }) => leaseSeconds),
    types.map(({ timeoutSeconds }) => timeoutSeconds),
    round.workerIds,
    round.after,
    round.workspaces,
    round.apiKeyId,
  ];
  const text = round.limits ? 'limits' : 'noLimits';
  const rows =
    jobIds !== null
      ? await context.database.hot.query<ResultRow>(statements.named[text], [...parameters, scope, jobIds])
      : scope !== null
        ? await context.database.hot.query<ResultRow>(statements.one[text], [...parameters, scope])
        : await context.database.hot.query<ResultRow>(statements.all[text], [...parameters, round.without]);
  const started = rows.flatMap((row): StartedAttempt[] => {
    if (row.id === null) return [];
    const { token, expires_at: expiresAt, lease_seconds: leaseSeconds } = row;
    return [{ job: jobFromRow(row), token, expiresAt: new Date(expiresAt), leaseSeconds }];
  });
  for (const { job } of started) {
    // Both times are the database's.
    context.observer.started(job.type, (job.updatedAt.getTime() - job.dueAt.getTime()) / 1_000);
    context.announcer.jobChanged(job);
    context.concurrencyKeys.changed(job);
  }
  const seen = rows[0]?.seen_workspaces ?? 0;
  return {
    started,
    after: started.at(-1)?.job.workspaceId ?? rows[0]?.last_seen ?? firstWorkspace,
    wentRound: seen < round.workspaces,
    meetsLimit: rows[0]?.meets_limit ?? false,
  };
}
