import { ended, given, type Scenario, type Stage } from '../stage.ts';
import { type Assignment, describeEnd } from '../assignment.ts';

const pause = 7;

/** A job that saves a checkpoint and fails, another attempt that goes on from it, and a job that no attempt would help. */
export const endings: Scenario = {
  checks: ['failures', 'pauses', 'attempts', 'checkpoints'],
  async run(stage) {
    const { verdicts } = stage;
    const input = { name: 'twice', checkpoint: 'half of it', retryAfterSeconds: pause };
    const first = await given(stage, input);
    await ended(stage, first);
    const saved = first.calls.findLast(({ input: { checkpoint } }) => checkpoint !== undefined)?.input['checkpoint'] ?? null;
    const refusal = await given(stage, { name: 'refused', fail: 'fatal' });
    await ended(stage, refusal);
    judgeFailures(stage, first, refusal);

    const second = await given(stage, input, { id: first.job.id, attempt: 2, checkpoint: saved });
    const before = first.calls.length;
    await stage.desk.until(() => second.end !== null || first.calls.length > before, 12_000);
    const stale = first.calls.slice(before);
    if (stale.length > 0) verdicts.fail('attempts', `after attempt 2 had begun ${stale[0]?.field} came with the token of attempt 1`);
    else if (second.end === null) verdicts.unknown('attempts', 'attempt 2 did not end');
    else verdicts.pass('attempts', `attempt 2 ${describeEnd(second)}`);
    if (saved === null) return verdicts.unused('checkpoints', 'it reports none');
    const output = [second.end, ...stale].find((call) => call?.field === 'completeJob')?.input['output'];
    const wentOn = typeof output === 'object' && output !== null && 'checkpoint' in output ? output.checkpoint : null;
    if (wentOn === saved) verdicts.pass('checkpoints', 'attempt 2 went on from what attempt 1 had saved');
    else verdicts.fail('checkpoints', `attempt 1 saved ${JSON.stringify(saved)}, and attempt 2 ${describeEnd(second)}`);
  },
};

function judgeFailures({ verdicts }: Stage, first: Assignment, refusal: Assignment): void {
  const told = [
    ...(first.end?.field === 'failJob' && first.end.input['retryable'] !== false ? [] : [`a job that another attempt helps ${describeEnd(first)}`]),
    ...(refusal.end?.field === 'failJob' && refusal.end.input['retryable'] === false ? [] : [`a job that no attempt helps ${describeEnd(refusal)}`]),
  ];
  if (told.length > 0) verdicts.fail('failures', told.join(', '));
  else verdicts.pass('failures', 'one was failed for another attempt, one for good');
  const asked = first.end?.input['retryAfterSeconds'];
  if (asked == null) verdicts.unused('pauses', 'it sends no retryAfterSeconds');
  else if (asked === pause) verdicts.pass('pauses', `retryAfterSeconds: ${pause}`);
  else verdicts.fail('pauses', `retryAfterSeconds is ${JSON.stringify(asked)}, and its handler asked for ${pause}`);
}
