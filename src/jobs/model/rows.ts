import { columnsOf, type Row } from '../../database/columns.ts';
import { createdAtOf } from '../../database/ids.ts';
import { JobEntity } from './entities.ts';
import type { Job } from './job.ts';

export type JobRow = Row<typeof JobEntity>;

const columns = columnsOf(JobEntity, { createdAt: ({ id }) => createdAtOf(id) });

/** The columns of a Job, from the table or from a CTE that returns whole rows, and the Job of such a row. */
export const { select: jobColumns, selectWhere: jobColumnsWhere, read: jobFromRow } = columns;

export function isJobProperty(name: string): name is keyof Job {
  return columns.properties.has(name);
}

const parts = new WeakMap<ReadonlySet<keyof Job>, Pick<typeof columns, 'select' | 'read'>>();

/** The columns of these properties and of the id, and the part of a Job that such a row makes. Remembered with the set. */
export function partOfJob(properties: ReadonlySet<keyof Job>): Pick<typeof columns, 'select' | 'read'> {
  const part = parts.get(properties) ?? columns.only(new Set(['id', ...properties]));
  parts.set(properties, part);
  return part;
}
