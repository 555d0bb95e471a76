import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ValidationError } from '../../src/errors.ts';
import { byNobody } from '../../src/workspaces/audit/record.ts';
import { refusal, Tenant, usualRequest } from '../support/domain.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { scheduleLoop } from '../support/schedules.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await startLonghaul();
});
afterAll(() => longhaul.stop());

test('a workspace has ten thousand schedules at most, which cost one statement a tick', async () => {
  const tenant = await Tenant.in(longhaul);
  const { database, jobs } = longhaul.services;
  await longhaul.fill(
    `INSERT INTO schedule (id, workspace_id, name, cron, time_zone, overlap, type, input, next_run_at)
     SELECT gen_random_uuid(), $1, n::text, '0 7 * * *', 'UTC', 'SKIP', 'fingerprint', '{}', now() + interval '1 day' FROM generate_series(1, 10000) AS n`,
    [tenant.id],
  );
  const more = jobs.schedules.create(tenant.id, { ...usualRequest, name: 'more', cron: '0 7 * * *' }, byNobody);
  expect((await refusal(ValidationError, more)).message).toContain('10000');
  await scheduleLoop(longhaul).settle();
  const query = vi.spyOn(database.hot, 'query');
  try {
    await scheduleLoop(longhaul).settle();
    expect(query.mock.calls.filter(([sql]) => sql.includes('schedule'))).toHaveLength(1);
  } finally {
    query.mockRestore();
  }
});
