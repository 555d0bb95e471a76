import { type Assignment, describeEnd, same } from '../assignment.ts';
import { internal, type Purpose, type Trouble } from '../trouble.ts';
import { ended, given, type Scenario, shown, soon, type Stage } from '../stage.ts';

/** A job whose end is carried out, and whose answer is lost. */
export const lostAnswers: Scenario = {
  checks: ['lost-answers'],
  async run(stage) {
    const { desk, verdicts } = stage;
    desk.trouble('end', { kind: 'cut' });
    const job = await given(stage, { name: 'unheard', seconds: 0.2 });
    await ended(stage, job, 0.2);
    const ends = () => job.calls.filter(({ purpose }) => purpose === 'end');
    await desk.until(() => ends().length > 1, soon);
    const [first, second] = ends();
    if (first === undefined || second === undefined) return verdicts.fail('lost-answers', `the answer to ${first?.field ?? 'an end'} was lost, and it did not ask again`);
    if (!same(first, second)) return verdicts.fail('lost-answers', `the answer to ${text(first.input)} was lost, and it then sent ${text(second.input)}`);
    return verdicts.pass('lost-answers', `${first.field} came again after ${shown(second.at - first.at)}, the same`);
  },
};

const away = (status: number, code: string): Trouble => ({ kind: 'refused', status, code, retryAfter: 1 });

/** How much too early a call may come, in milliseconds: timers may be early. */
const early = 30;

/** Claims and a job while the server, and what stands between, are away. */
export const outages: Scenario = {
  checks: ['outages', 'retry-after'],
  async run(stage) {
    const { verdicts } = stage;
    const hasty = [
      ...(await claimInto(stage, away(503, 'UNAVAILABLE'))),
      ...(await claimInto(stage, { kind: 'cut' })),
      ...(await claimInto(stage, { kind: 'page', status: 502 })),
      ...(await claimInto(stage, internal)),
    ];
    for (const trouble of [away(429, 'RATE_LIMITED'), internal]) stage.desk.trouble('end', trouble);
    stage.desk.trouble('report', away(503, 'UNAVAILABLE'));
    const job = await given(stage, { name: 'in spite of it', seconds: 1.5 }, { seconds: 3 });
    await ended(stage, job, 4);
    stage.desk.clearTroubles();
    hasty.push(...hastyCalls(stage, 'end', job.heldAt ?? 0, 0), ...hastyCalls(stage, 'report', job.heldAt ?? 0, 1));
    if (hasty.length > 0) verdicts.fail('retry-after', hasty.join(', '));
    else verdicts.pass('retry-after', 'no call came again before that');
    if (job.end?.field === 'completeJob') verdicts.pass('outages', 'it went on after 503, 429, 502 from a proxy, INTERNAL and broken connections');
    else verdicts.fail('outages', `a job whose end was answered 429 and then INTERNAL ${describeEnd(job)}`);
  },
};

/** The next claim gets into trouble, and the one after it comes through. @returns calls that came too early */
async function claimInto(stage: Stage, trouble: Trouble): Promise<string[]> {
  const { desk, verdicts, worker } = stage;
  const from = performance.now();
  const claims = () => desk.calls.filter(({ purpose, at }) => purpose === 'claim' && at > from);
  desk.trouble('claim', trouble);
  desk.answerClaims();
  await desk.until(() => claims().some((call) => call.trouble !== null), soon);
  const troubled = claims().find((call) => call.trouble !== null);
  const next = () => claims().filter(({ at }) => at > (troubled?.at ?? Infinity));
  const cameBack = await desk.until(() => next().length > 0 || !worker.running, soon);
  if (!cameBack || !worker.running) {
    const name = trouble.kind === 'refused' ? trouble.code : trouble.kind === 'cut' ? 'with a broken connection' : `${trouble.status} by a proxy`;
    verdicts.fail('outages', `a claim was answered ${name}, and ${worker.running ? `no other came within ${shown(soon)}` : `the worker exited: ${worker.tail.slice(-300)}`}`);
  }
  // Where several claims wait at the same time, the others come in between.
  return hastyCalls(stage, 'claim', from, Math.max(0, stage.claims - 1));
}

/** @param others so many calls may come in between, that have nothing to do with the one that was refused */
function hastyCalls({ desk }: Stage, purpose: Purpose, from: number, others: number): string[] {
  const calls = desk.calls.filter((call) => call.purpose === purpose && call.at > from);
  return calls.flatMap(({ field, at, trouble }) => {
    if (trouble?.kind !== 'refused' || trouble.retryAfter === undefined) return [];
    const until = at + trouble.retryAfter * 1_000 - early;
    const hasty = calls.filter((call) => call.at > at && call.at < until);
    return hasty.length > others ? [`${field} was answered ${trouble.code} with Retry-After: ${trouble.retryAfter}, and came ${hasty.length} times in that second`] : [];
  });
}

function text(input: Assignment['job']['input']): string {
  return JSON.stringify({ ...input, token: undefined }).slice(0, 300);
}
