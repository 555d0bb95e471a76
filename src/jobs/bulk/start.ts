import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Database } from '../../database/database.ts';
import { createdAtOf, firstIdOf, newId } from '../../database/ids.ts';
import type { Queryable } from '../../database/queryable.ts';
import { crowdedRetrySeconds, type FieldIssue, LonghaulError, RateLimitedError, ValidationError } from '../../errors.ts';
import { checkInput } from '../../input.ts';
import { canonicalJson, type JsonObject } from '../../json.ts';
import { type Actor, record } from '../../workspaces/audit/record.ts';
import { keyHours } from '../../workspaces/idempotency-key.ts';
import { idempotencyKey } from '../create/job-request.ts';
import { cancelReason } from '../end/cancel.ts';
import { IdempotencyConflictError } from '../model/job-errors.ts';
import type { JobFilter } from '../read/filter.ts';
import type { Counting } from '../read/counting.ts';
import { type BulkAction, type BulkActionRow, bulkActionColumns, bulkActionFromRow } from './bulk-action.ts';
import { asksForEverything, filterIssues, storedFilter } from './criteria.ts';
import { type BulkActionKind, bulkActionKinds, sqlIsRunning } from './entities.ts';

/** How far the jobs that match are counted at the start. */
const mostCounted = 100_000;

/** The most actions of a workspace that run at the same time. */
const mostRunning = 10;

/** Advisory lock key space. Distinct from every other `lockSpace`, and from that of src/database/process-lock.ts. */
const lockSpace = 0x10_ba;

/** Milliseconds by which the clocks of two processes differ at most, and that a creation takes. */
const settlingMilliseconds = 2_000;

/** The fields of a filter that hold ids, and the table in which each id must be found. */
const named = {
  ids: { what: 'job', sql: 'SELECT id FROM job WHERE workspace_id = $1 AND id = ANY ($2::uuid[])' },
  // Jobs of a schedule that was deleted are still its own.
  scheduleIds: {
    what: 'schedule',
    sql: `SELECT asked.id FROM unnest($2::uuid[]) AS asked(id)
      WHERE EXISTS (SELECT FROM schedule WHERE schedule.id = asked.id AND schedule.workspace_id = $1)
        OR EXISTS (SELECT FROM job WHERE job.schedule_id = asked.id AND job.workspace_id = $1)`,
  },
} as const;

type Named = keyof typeof named;

/** The id of nothing. */
const nobody = firstIdOf(0);

/** What to do to which jobs. */
export interface BulkRequest {
  kind: BulkActionKind;
  /** As the client sent it. */
  asked: object;
  /** The same, with the UUIDs of the jobs and schedules that its ids name; an id that can name none is null. */
  filter: Omit<JobFilter, Named> & { [Key in Named]?: readonly (string | null)[] | null | undefined };
  /** All jobs of the workspace are meant. */
  everything?: boolean | null | undefined;
  reason?: string | null | undefined;
  idempotencyKey?: string | null | undefined;
  by: Actor;
}

const request = z.object({
  kind: z.enum(bulkActionKinds),
  reason: cancelReason.nullish(),
  idempotencyKey: idempotencyKey.nullish(),
});

/** The jobs that exist are those that this statement sees. */
const insert = `
  WITH recent AS MATERIALIZED (
    SELECT ARRAY(SELECT job.id FROM job WHERE job.workspace_id = $2::uuid AND job.id >= $8::uuid ORDER BY job.id) AS ids
  )
  INSERT INTO bulk_action (id, workspace_id, kind, filter, criteria, reason, total_value, total_exact, settled_id, recent_ids, last_id,
    idempotency_key, request_hash)
  SELECT $1::uuid, $2::uuid, $3::text, $4::jsonb, $5::jsonb, $6::text, greatest(0, least($7::int, ${mostCounted})), $7::int BETWEEN 0 AND ${mostCounted},
    $8::uuid, recent.ids, greatest($8::uuid, recent.ids[cardinality(recent.ids)]), $9::text, $10::text
  FROM recent
  WHERE (SELECT count(*) FROM bulk_action WHERE bulk_action.workspace_id = $2::uuid AND ${sqlIsRunning}) < ${mostRunning}
  ON CONFLICT (workspace_id, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
  RETURNING ${bulkActionColumns('bulk_action')}`;

interface StartParts {
  database: Database;
  counting: Counting;
}

/**
 * Writes down what is to be done to which jobs; it is carried out by whatever process is free. The same key and request within
 * 24 hours are one action.
 *
 * @throws ValidationError; IdempotencyConflictError; RATE_LIMITED where too many of the workspace run
 */
export async function startBulkAction(
  { database, counting }: StartParts,
  workspaceId: string,
  given: BulkRequest,
): Promise<BulkAction> {
  const { kind, filter, reason, key } = checked(given);
  const asked = storedFilter(given.asked);
  const hash = createHash('sha256').update(canonicalJson([kind, narrowing(asked), reason])).digest('hex');
  const earlier = key === null ? null : await findEarlier(database.hot, workspaceId, key, hash);
  if (earlier !== null) return earlier;
  await refuseUnknown(database.reads, workspaceId, filter);

  const total = await counted(counting, workspaceId, filter);
  const id = newId();
  const settled = firstIdOf(createdAtOf(id).getTime() - settlingMilliseconds);
  const stored = [JSON.stringify(asked), JSON.stringify(storedFilter(filter))];
  const parameters = [id, workspaceId, kind, ...stored, reason, total, settled, key, key === null ? null : hash];
  const action = await database.transaction(async (transaction) => {
    // Those that are started together would not count each other.
    await transaction.query('SELECT pg_advisory_xact_lock($1::int, hashtext($2::text))', [lockSpace, workspaceId]);
    const [row] = await transaction.query<BulkActionRow>(insert, parameters);
    if (row === undefined) return null;
    const details = { kind, filter: asked, reason };
    await record(transaction, { workspaceId, action: 'bulk_action.start', by: given.by, target: { type: 'BulkAction', id }, details });
    return bulkActionFromRow(row);
  });
  if (action !== null) return action;
  // The same call came twice, or too many run.
  const rival = key === null ? null : await findEarlier(database.hot, workspaceId, key, hash);
  if (rival !== null) return rival;
  throw new RateLimitedError(`${mostRunning} bulk actions of this workspace run already.`, crowdedRetrySeconds);
}

/** What is null does not narrow, as what is left out, so both are the same request. */
function narrowing(asked: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== null));
}

interface CheckedRequest {
  kind: BulkActionKind;
  filter: JobFilter;
  reason: string | null;
  key: string | null;
}

function uuidsOf(ids: readonly (string | null)[] | null | undefined): string[] | undefined {
  return ids?.map((id) => id ?? nobody);
}

function checked({ filter: given, everything, ...rest }: BulkRequest): CheckedRequest {
  const valid = checkInput(request, { kind: rest.kind, reason: rest.reason, idempotencyKey: rest.idempotencyKey });
  const filter: JobFilter = { ...given, ids: uuidsOf(given.ids), scheduleIds: uuidsOf(given.scheduleIds) };
  const issues: FieldIssue[] = [
    ...(valid.ok ? [] : valid.issues),
    ...filterIssues(filter),
    ...(asksForEverything(filter) && everything !== true
      ? [{ path: ['everything'], message: 'is required where the filter is empty: true for all jobs of the workspace' }]
      : []),
  ];
  if (!valid.ok || issues.length > 0) throw new ValidationError(issues);
  const { kind, reason = null, idempotencyKey: key = null } = valid.value;
  return { kind, filter, reason, key };
}

/** An id that names nothing here is a mistake, and what it was to be done to would be missing from the count without a word. */
async function refuseUnknown(database: Queryable, workspaceId: string, filter: JobFilter): Promise<void> {
  const issues: FieldIssue[] = [];
  for (const field of ['ids', 'scheduleIds'] satisfies Named[]) {
    const ids = filter[field] ?? [];
    if (ids.length === 0) continue;
    const { what, sql } = named[field];
    const own = new Set((await database.query<{ id: string }>(sql, [workspaceId, ids])).map(({ id }) => id));
    const unknown = ids.flatMap((id, index) => (own.has(id) ? [] : String(index)));
    issues.push(...unknown.map((index) => ({ path: ['filter', field, index], message: `names no ${what} of this workspace` })));
  }
  if (issues.length > 0) throw new ValidationError(issues);
}

/** The action that a key has started within 24 hours. Throws IdempotencyConflictError if that was another request. */
async function findEarlier(database: Queryable, workspaceId: string, key: string, hash: string): Promise<BulkAction | null> {
  const [row] = await database.query<BulkActionRow & { request_hash: string }>(
    `SELECT ${bulkActionColumns('bulk_action')}, request_hash FROM bulk_action WHERE workspace_id = $1 AND idempotency_key = $2`,
    [workspaceId, key],
  );
  if (row === undefined) return null;
  const action = bulkActionFromRow(row);
  if (createdAtOf(newId()).getTime() - action.createdAt.getTime() >= keyHours * 3_600_000) {
    // It counts no more, and whoever uses it again takes it off.
    await database.query('UPDATE bulk_action SET idempotency_key = NULL WHERE id = $1', [row.id]);
    return null;
  }
  if (row.request_hash !== hash) throw new IdempotencyConflictError({ bulkActionId: action.id });
  return action;
}

/** Minus one if it cannot be counted in time: then nobody knows how many there are, but the action finds them. */
async function counted(counting: Counting, workspaceId: string, filter: JobFilter): Promise<number> {
  try {
    return (await counting.upTo(workspaceId, filter, mostCounted + 1)).count;
  } catch (error) {
    if (error instanceof LonghaulError && error.code === 'UNAVAILABLE') return -1;
    throw error;
  }
}
