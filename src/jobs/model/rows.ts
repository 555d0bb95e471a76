import { columnsOf, type Row } from '../../database/columns.ts';
import { createdAtOf } from '../../database/ids.ts';
import { JobEntity } from './entities.ts';

export type JobRow = Row<typeof JobEntity>;

/** The columns of a Job, from the table or from a CTE that returns whole rows, and the Job of such a row. */
export const {
  select: jobColumns,
  selectWhere: jobColumnsWhere,
  read: jobFromRow,
} = columnsOf(JobEntity, { createdAt: ({ id }) => createdAtOf(id) });
