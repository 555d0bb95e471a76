import type { Loop } from '../../src/concurrency/loop.ts';
import type { Schedule } from '../../src/jobs/schedules/schedule.ts';
import type { Longhaul } from './longhaul.ts';

export function scheduleLoop({ services }: Longhaul): Loop {
  const loop = services.loops.find(({ name }) => name === 'creating the jobs of schedules');
  if (loop === undefined) throw new Error('There is no loop for schedules.');
  return loop;
}

/** Makes the next occurrence one of the past, and returns it. By default of this second. */
export async function becomeDue({ services }: Longhaul, { id }: Pick<Schedule, 'id'>, at = new Date(Math.floor(Date.now() / 1_000) * 1_000)): Promise<Date> {
  await services.database.hot.query('UPDATE schedule SET next_run_at = $2::timestamptz WHERE id = $1', [id, at.toISOString()]);
  return at;
}

/** Carries out all occurrences that are due. Twice, because the first call may join a run that looked before the test's change. */
export async function occur(longhaul: Longhaul): Promise<void> {
  await scheduleLoop(longhaul).settle();
  await scheduleLoop(longhaul).settle();
}
