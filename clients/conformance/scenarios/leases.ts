import { ended, given, idle, offer, type Scenario, shown, soon, Stuck, taken } from '../stage.ts';
import { type Assignment, describeEnd } from '../assignment.ts';

/** Two jobs, side by side where it has room for them. */
export const tokens: Scenario = {
  checks: ['tokens'],
  async run(stage) {
    const { verdicts } = stage;
    const both = ['a', 'b'].map((name) => offer(stage, { name, seconds: 0.5 }));
    for (const one of both) {
      // eslint-disable-next-line no-await-in-loop -- where it has room for one
      await taken(stage, one);
    }
    for (const one of both) await ended(stage, one, 0.5);
    const wrong = both.filter(({ end, output, job }) => end?.field !== 'completeJob' || output['name'] !== job.input['name']);
    if (wrong.length === 0) return verdicts.pass('tokens', 'two jobs were completed, each with its own output');
    verdicts.fail('tokens', wrong.map((one) => `job ${String(one.job.input['name'])} ${describeEnd(one)}`).join(', '));
  },
};

/** A job that takes longer than its lease. */
export const heartbeats: Scenario = {
  checks: ['heartbeats'],
  async run(stage) {
    const { verdicts } = stage;
    const seconds = 2;
    const works = 3.5;
    const job = await given(stage, { name: 'long', seconds: works }, { seconds });
    await ended(stage, job, works);
    const times = [...job.renewals, job.end?.at ?? performance.now()];
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    const longest = Math.max(...gaps);
    const worked = (job.end?.at ?? performance.now()) - (job.heldAt ?? 0);
    if (longest > seconds * 1_000) return verdicts.fail('heartbeats', `a lease of ${seconds} s was not renewed for ${shown(longest)}`);
    if (worked < seconds * 1_000) return verdicts.unknown('heartbeats', `the job ended after ${shown(worked)}: its handler has to work for the \`seconds\` of its input`);
    return verdicts.pass('heartbeats', `a lease of ${seconds} s was renewed ${job.renewals.length - 1} times in ${shown(worked)}`);
  },
};

/** For so many milliseconds after LEASE_LOST calls may arrive that were sent before. */
const inFlightMilliseconds = 400;

/** Within so many milliseconds a worker stops that was told. */
const stopsWithin = 5_000;

/** A job that is cancelled, where only its next call tells. */
export const lostLease: Scenario = {
  checks: ['lost-lease', 'cancel'],
  async run(stage) {
    const { desk, verdicts } = stage;
    const job = await given(stage, { name: 'cancelled', seconds: 30 }, { seconds: 2 });
    await desk.until(() => job.end !== null, 200);
    if (job.end !== null) throw new Stuck('the job ended at once: its handler has to work for the `seconds` of its input');
    job.takeAway();
    if (!(await desk.until(() => job.toldLostAt !== null, 4_000))) throw new Stuck('no call came in twice the time of its lease, so it was not told LEASE_LOST');
    const toldAt = job.toldLostAt ?? 0;
    const stopped = await idle(stage, stopsWithin);
    const after = performance.now() - toldAt;
    if (stopped) verdicts.pass('cancel', `it had room again ${shown(after)} after LEASE_LOST`);
    else verdicts.fail('cancel', `it was still working ${shown(after)} after LEASE_LOST`);
    await desk.until(() => late(job).length > 0, 700);
    const [first] = late(job);
    if (first === undefined) verdicts.pass('lost-lease', 'no call came after LEASE_LOST');
    else verdicts.fail('lost-lease', `${first.field} came ${shown(first.at - toldAt)} after LEASE_LOST`);
  },
};

/** A job that is cancelled before its worker asks for the room of a result, where that call tells. */
export const lostResult: Scenario = {
  checks: ['lost-lease'],
  async run(stage) {
    const { desk, files, verdicts } = stage;
    const job = await given(stage, { name: 'cancelled', save: true }, { file: files.store([]) });
    job.takeAway();
    await desk.until(() => job.toldLostAt !== null, soon);
    await desk.until(() => late(job).length > 0, 700);
    const [first] = late(job);
    const told = job.calls.find(({ lost }) => lost);
    if (first !== undefined) verdicts.fail('lost-lease', `${told?.field ?? 'a call'} was answered LEASE_LOST, and ${first.field} came after it`);
  },
};

function late({ calls, toldLostAt }: Assignment) {
  // Of a job that works for half a minute no end was on its way.
  return calls.filter(({ at, purpose }) => toldLostAt !== null && at > toldLostAt + (purpose === 'end' ? 0 : inFlightMilliseconds));
}

/** A job that is cancelled, where its worker is told by leaseLost long before its next call. */
export const leaseLostEvent: Scenario = {
  checks: ['lease-lost-event'],
  async run(stage) {
    const { desk, verdicts, server } = stage;
    // A worker that has just begun may still be connecting.
    if (!(await desk.until(() => server.lostLeases.listeners > 0, 2_000))) return verdicts.unused('lease-lost-event', 'it does not subscribe to leaseLost');
    const job = await given(stage, { name: 'cancelled', seconds: 30 });
    await desk.until(() => job.end !== null, 300);
    const toldAt = performance.now();
    job.takeAway();
    server.lostLeases.tell({ token: job.token, attempt: job.job.attempt, jobId: `job_${job.job.id}` });
    const stopped = await idle(stage, stopsWithin);
    const after = shown(performance.now() - toldAt);
    if (stopped) verdicts.pass('lease-lost-event', `it had room again after ${after}`);
    else verdicts.fail('lease-lost-event', `it was still working ${after} after the event`);
  },
};
