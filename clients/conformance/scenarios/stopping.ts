import { given, offer, type Scenario, shown, type Stage, start } from '../stage.ts';
import { type Assignment, describeEnd } from '../assignment.ts';

/** For so many milliseconds after SIGTERM a claim may arrive that was sent before. */
const inFlightMilliseconds = 500;

/** SIGTERM while a job runs, and once more while a claim waits, which then brings a job. */
export const stopping: Scenario = {
  checks: ['stop-claiming', 'hand-back'],
  async run(stage) {
    const { desk, worker, verdicts } = stage;
    const running = await given(stage, { name: 'running', seconds: 4 });
    await desk.until(() => running.end !== null, 300);
    const busy = await stop(stage, running, 'a job that ran');

    await worker.kill();
    await start(stage);
    await desk.until(() => desk.waitingClaims > 0, 5_000);
    const idle = await stop(stage, null, 'a job whose claim was on its way');
    // Only now, as both count: what went wrong is told already.
    verdicts.pass('stop-claiming', 'no claim came after SIGTERM');
    verdicts.pass('hand-back', `${busy}; ${idle}`);
  },
};

/** Tells what went wrong. @param running null: a job is offered after the signal @returns how it went */
async function stop(stage: Stage, running: Assignment | null, what: string): Promise<string> {
  const { desk, worker, verdicts } = stage;
  const at = performance.now();
  worker.terminate();
  const job = running ?? (await offeredLate(stage));
  const exited = await worker.exited(stage.drainSeconds * 1_000);
  const took = shown(performance.now() - at);
  desk.withdraw();
  const late = desk.calls.filter((call) => call.purpose === 'claim' && call.at > at + inFlightMilliseconds);
  if (late.length > 0) verdicts.fail('stop-claiming', `it claimed ${late.length} times more, first ${shown((late[0]?.at ?? 0) - at)} after SIGTERM`);
  if (job.held && !['completeJob', 'releaseJob'].includes(job.end?.field ?? '')) {
    verdicts.fail('hand-back', `after SIGTERM ${what} ${describeEnd(job)}${exited ? `, and the process exited after ${took}` : ''}`);
  } else if (!exited) verdicts.fail('hand-back', `it was still running ${took} after SIGTERM (--drain-seconds)`);
  return `${what} ${describeEnd(job)}, and it exited after ${took}`;
}

async function offeredLate(stage: Stage): Promise<Assignment> {
  // A worker that breaks its claim off has done so by then.
  await stage.desk.until(() => !stage.worker.running, 150);
  return offer(stage, { name: 'late', seconds: 1 });
}
