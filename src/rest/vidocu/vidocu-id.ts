import { LRUCache } from 'lru-cache';
import { validate as isUuid } from 'uuid';
import { createdAtOf, firstIdOf } from '../../database/ids.ts';
import type { Job } from '../../jobs/model/job.ts';
import type { Services } from '../../services.ts';

export const vidocuTypes = ['analysis', 'export', 'translation', 'tool'] as const;
export type VidocuType = (typeof vidocuTypes)[number];

/** The vendor's name for a type. Types that it does not know, voiceovers included, are tools. */
export function vidocuType(type: string): VidocuType {
  return vidocuTypes.find((known) => known === type) ?? 'tool';
}

/**
 * `analysis_1708300000000_abc1234`: the type, the id's millisecond, and 36 of its other bits in base 36. Fourteen of
 * these are the end of the counter that ids made by one process in one millisecond differ in, the rest is random.
 */
export function vidocuId({ id, type }: Pick<Job, 'id' | 'type'>): string {
  const bits = Number.parseInt(id.slice(21, 23) + id.slice(24, 31), 16);
  return `${vidocuType(type)}_${String(createdAtOf(id).getTime()).padStart(13, '0')}_${bits.toString(36).padStart(7, '0')}`;
}

/** The UUID behind an id never changes, so it is looked up once for each poller. Who may see the job is asked each time. */
const known = new LRUCache<string, string>({ max: 10_000 });

/** The UUID of the job with this Vidocu id, or with this UUID; null for anything else. */
export function uuidOfVidocuId(services: Services, workspaceId: string, id: string): string | null | Promise<string | null> {
  if (isUuid(id)) return id.toLowerCase();
  return known.get(`${workspaceId}/${id}`) ?? learn(services, workspaceId, id);
}

async function learn(services: Services, workspaceId: string, id: string): Promise<string | null> {
  const uuid = await lookUp(services, workspaceId, id);
  if (uuid !== null) known.set(`${workspaceId}/${id}`, uuid);
  return uuid;
}

async function lookUp({ database }: Services, workspaceId: string, id: string): Promise<string | null> {
  const [, milliseconds] = /^[a-z]+_(\d{13})_[0-9a-z]{7}$/.exec(id) ?? [];
  if (milliseconds === undefined) return null;
  const created = Number(milliseconds);
  // The workspace's jobs of one millisecond: a handful, found by their index.
  const rows = await database.hot.query<{ id: string; type: string }>(
    `SELECT job.id, job.type FROM job
     WHERE job.workspace_id = $1::uuid AND job.id >= $2::uuid AND job.id < $3::uuid ORDER BY job.id`,
    [workspaceId, firstIdOf(created), firstIdOf(created + 1)],
  );
  return rows.find((row) => vidocuId(row) === id)?.id ?? null;
}
