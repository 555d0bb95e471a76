import { given, offer, type Scenario, shown, type Stage, start } from '../stage.ts';
import type { Assignment } from '../assignment.ts';
import { howItEnded } from './leases.ts';

/** How long a claim may still be on its way after SIGTERM, in milliseconds. */
const onTheirWay = 500;

/** SIGTERM while a job runs, and once more while a claim waits, which then brings a job. */
export const stopping: Scenario = {
  checks: ['stop-claiming', 'hand-back'],
  async run(stage) {
    const { desk, worker } = stage;
    const running = await given(stage, { name: 'running', seconds: 4 });
    await desk.until(() => running.end !== null, 300);
    await stop(stage, running, 'a job that ran');

    await worker.kill();
    await start(stage);
    await desk.until(() => desk.waitingClaims > 0, 5_000);
    await stop(stage, null, 'a job whose claim was on its way');
  },
};

/** @param running null: a job is offered after the signal */
async function stop(stage: Stage, running: Assignment | null, what: string): Promise<void> {
  const { desk, worker, verdicts } = stage;
  const at = performance.now();
  worker.terminate();
  const job = running ?? (await offeredLate(stage));
  const exited = await worker.exited(stage.drainSeconds * 1_000);
  const took = shown(performance.now() - at);
  desk.withdraw();
  const late = desk.calls.filter((call) => call.purpose === 'claim' && call.at > at + onTheirWay);
  if (late.length > 0) verdicts.fail('stop-claiming', `it claimed ${late.length} times more, first ${shown((late[0]?.at ?? 0) - at)} after SIGTERM`);
  else verdicts.pass('stop-claiming', 'no claim came after SIGTERM');
  if (job.held && !['completeJob', 'releaseJob'].includes(job.end?.field ?? '')) {
    verdicts.fail('hand-back', `after SIGTERM ${what} ${howItEnded(job)}${exited ? `, and the process exited after ${took}` : ''}`);
  } else if (!exited) verdicts.fail('hand-back', `it was still running ${took} after SIGTERM (--drain-seconds)`);
  else verdicts.pass('hand-back', `${what} ${howItEnded(job)}, and it exited after ${took}`);
}

async function offeredLate(stage: Stage): Promise<Assignment> {
  // A worker that breaks its claim off has done so by then.
  await stage.desk.until(() => !stage.worker.running, 150);
  return offer(stage, { name: 'late', seconds: 1 });
}
