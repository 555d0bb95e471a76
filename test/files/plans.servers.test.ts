import { afterAll, beforeAll, expect, test } from 'vitest';
import { Batches } from '../../src/concurrency/batches.ts';
import { type AttemptUploads, findAttemptUploads } from '../../src/files/uploads/attempt-uploads.ts';
import { completeJob } from '../../src/jobs/end/complete.ts';
import { createCompletions } from '../../src/jobs/end/completion-batch.ts';
import { createLateCompletions } from '../../src/jobs/end/late-completion.ts';
import { contextOf, Tenant } from '../support/domain.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { byId, statementsOf, waysInto } from '../support/plans.ts';
import { newUpload } from '../support/uploads.ts';

let longhaul: Longhaul;
let tenant: Tenant;
let key: string;
beforeAll(async () => {
  longhaul = await startLonghaul();
  const workspace = await longhaul.workspace();
  tenant = Tenant.of(longhaul, workspace.id);
  key = await workspace.key();
});
afterAll(() => longhaul.stop());

/** Completes a job twice with an upload, and gives the ways into a table of each statement. */
async function waysOfCompletion(table: string): Promise<string[][]> {
  const { token } = await tenant.running();
  const { id, uuid } = await newUpload(longhaul, key, { token });
  await longhaul.services.database.hot.query(`UPDATE upload SET sha256 = 'x' WHERE id = $1`, [uuid]);
  const context = contextOf(longhaul);
  const statements = await statementsOf(context.database, async (database) => {
    const observed = {
      ...context,
      database,
      completions: createCompletions({ ...context, database }),
      lateCompletions: createLateCompletions({ database }),
      attemptUploads: new Batches((asked: readonly AttemptUploads[]) => findAttemptUploads(database.hot, asked), { lanes: 4, size: 100 }),
    };
    const request = { token, artifacts: [{ uploadId: id.slice('upload_'.length) }] };
    const job = await completeJob(observed, tenant.id, request);
    expect(await completeJob(observed, tenant.id, request)).toEqual(job);
  });
  expect(statements).toHaveLength(4);
  const ways = await Promise.all(statements.map((statement) => waysInto(table, context.database, statement)));
  return ways.filter((each) => each.length > 0);
}

test.each(['few', 'many'])('a completion finds its uploads by their ids or their attempt, where there are %s', async (there) => {
  const { database } = longhaul.services;
  if (there === 'many') {
    await longhaul.fill(
      `INSERT INTO upload (id, workspace_id, filename, media_type, expires_at)
       SELECT gen_random_uuid(), $1, 'a', 'a/b', now() + interval '1 day' FROM generate_series(1, 50000)`,
      [tenant.id],
    );
  }
  await longhaul.fill('VACUUM ANALYZE upload');
  const ways = await waysOfCompletion('upload');
  expect(ways).toHaveLength(3);
  expect([byId, 'upload_lease_index']).toEqual(expect.arrayContaining(ways.flat()));
  expect(await database.hot.query('SELECT 1 FROM artifact')).toHaveLength(there === 'few' ? 1 : 2);
});
