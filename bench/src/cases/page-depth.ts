import { randomUUID } from 'node:crypto';
import type { App } from '../../../src/server/app.ts';
import type { Window } from '../../../src/database/keyset.ts';
import { firstIdOf } from '../../../src/database/ids.ts';
import { listJobs } from '../../../src/jobs/read/list.ts';
import type { JobFilter } from '../../../src/jobs/read/filter.ts';
import { startDomain } from '../domain.ts';
import { empty, fill, type Installation, settle } from '../installation.ts';
import type { Comparison, Sample } from '../measure.ts';
import type { Case } from './case.ts';

const type = 'export';
const jobs = 1_000_000;

/** A page of 50 rows, and one more that tells whether another page follows. */
const rows = 51;

/**
 * The cost of a page at the end of a long list, compared with the first: the buffers that Postgres reads for the same
 * statements, which do not depend on the machine's load. They are equal, unless 51 rows span one more leaf of the index.
 */
export const pageDepth: Case = async (installation, stops) => {
  const app = await startDomain(installation, stops);
  const workspaceId = randomUUID();
  await empty(installation);
  await installation.admin.query(
    `INSERT INTO workspace (id, name, credits, webhook_secret) VALUES ($1, 'pages', 0, 'unused')`,
    [workspaceId],
  );
  await fill(installation, { workspaceId, type, jobs, mix: true });
  await installation.admin.query('INSERT INTO job_tag SELECT workspace_id, unnest(tags), id FROM job');
  await settle(installation);
  const fromTheEnd = async (jobsLeft: number) => {
    const { rows: oldest } = await installation.admin.query<{ id: string }>(
      'SELECT id FROM job WHERE workspace_id = $1 ORDER BY id LIMIT 1 OFFSET $2',
      [workspaceId, jobsLeft],
    );
    return oldest[0]?.id ?? firstIdOf(0);
  };
  const last = await fromTheEnd(500);

  const compare = (title: string, filter: JobFilter, end = last): Comparison => ({
    title: `buffers of a page of 50, ${title}`,
    unit: 'buffers',
    aim: { text: '≤ 1.05', reached: (ratio) => ratio <= 1.05 },
    sides: [
      { name: 'after 1,000,000 rows', round: () => buffers(installation, app, workspaceId, filter, end) },
      { name: 'page 1', round: () => buffers(installation, app, workspaceId, filter, null) },
    ],
  });
  return [
    compare('no filter', {}),
    compare('one status', { statuses: ['COMPLETED'] }),
    compare('one type', { types: [type] }),
    compare('one tag', { tags: ['bench'] }),
    // One job in fifty has the second tag.
    compare('two tags', { tags: ['bench', 'project-7'] }, await fromTheEnd(5_000)),
  ];
};

/** Explains the statements that `listJobs` sends, with their own parameters. */
async function buffers(
  { admin }: Installation,
  { services }: App,
  workspaceId: string,
  filter: JobFilter,
  below: string | null,
): Promise<Sample> {
  const { database } = services;
  const window: Window = { above: null, below, direction: 'DESC', limit: rows };
  let value = 0;
  const explaining = {
    query: async <Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> => {
      const { rows: plan } = await admin.query<{ 'QUERY PLAN': { Plan: Record<string, number> }[] }>(
        `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${sql}`,
        [...parameters],
      );
      const top = plan[0]?.['QUERY PLAN'][0]?.Plan ?? {};
      value += (top['Shared Hit Blocks'] ?? 0) + (top['Shared Read Blocks'] ?? 0);
      return database.reads.query<Row>(sql, parameters);
    },
  };
  const page = await listJobs({ hot: explaining, reads: explaining }, workspaceId, filter, window);
  if (page.length !== rows) throw new Error(`the page has ${page.length} rows, not ${rows}`);
  return { value, count: 1, cpu: null, postgresCpu: null };
}
