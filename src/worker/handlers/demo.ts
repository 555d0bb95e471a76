import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { mainName } from '../../files/artifact-entity.ts';
import type { JsonValue } from '../../json.ts';
import { demoFields, type DemoStep } from '../../jobs/types/demo.ts';
import { type Attempt, type Handler, HandlerError, type Result } from '../handler.ts';
import { makeDemoFile } from './demo-file.ts';

/** Where each step ends, in percent, and what it says. */
const plan: readonly { step: DemoStep; until: number; message: string }[] = [
  { step: 'prepare', until: 10, message: 'Getting everything ready' },
  { step: 'analyse', until: 40, message: 'Looking at every frame' },
  { step: 'render', until: 90, message: 'Drawing the result' },
  { step: 'finish', until: 100, message: 'Tidying up' },
];

const input = z.looseObject(demoFields);

const left = z.object({ percentage: z.int().min(0).max(100) });

/**
 * Pretends to work, and needs nothing: it walks through its steps in `input.seconds`, and makes a small file. After a release or
 * a crash it goes on with the step at which it was.
 */
export function createDemoHandler({ maxBytes }: { maxBytes: number }): Handler {
  return async (attempt) => {
    const parsed = input.safeParse(attempt.job.input);
    if (!parsed.success) {
      // JOB_TYPES can let other input through.
      throw new HandlerError('INPUT_REFUSED', 'The input is not one of the shipped type demo. Correct it, or the type in JOB_TYPES.', { retryable: false });
    }
    const { seconds, failAt, file } = parsed.data;
    await walk(attempt, { seconds: seconds ?? 10, failAt: failAt ?? null });
    return finish(attempt, { seconds: seconds ?? 10, file: file ?? 'text', maxBytes });
  };
}

async function walk(attempt: Attempt, { seconds, failAt }: { seconds: number; failAt: DemoStep | null }): Promise<void> {
  let percentage = percentageIn(await attempt.checkpoint());
  if (percentage > 0) attempt.log.info('going on where the last attempt was', { percentage });
  for (const { step, until, message } of plan) {
    if (percentage >= until) continue;
    await attempt.keep({ percentage });
    attempt.log.info(message, { step });
    attempt.report({ step, message, percentage });
    if (step === failAt) {
      attempt.log.error('failing, as asked for', { step });
      throw new HandlerError('DEMO_FAILED', `It failed at the step ${step}, as failAt asks for.`, { retryable: false });
    }
    while (percentage < until) {
      await delay(seconds * 10, undefined, { signal: attempt.signal });
      percentage += 1;
      attempt.report({ percentage });
    }
  }
}

function percentageIn(checkpoint: JsonValue): number {
  return left.safeParse(checkpoint).data?.percentage ?? 0;
}

async function finish(
  { job, artifacts, signal, log }: Attempt,
  { seconds, file, maxBytes }: { seconds: number; file: z.infer<typeof demoFields.file> & string; maxBytes: number },
): Promise<Result> {
  const steps = plan.map(({ step }) => step);
  const made = makeDemoFile(file, `Made by the demo job ${job.id}.`);
  if (made === null) return { output: { steps, seconds } };
  const { content, filename, mediaType } = made;
  const artifact = await artifacts.save(oneChunk(content), { workspaceId: job.workspaceId, filename, mediaType, maxBytes, signal });
  log.info('made a file', { filename, bytes: artifact.bytes });
  return { output: { steps, seconds, filename, mediaType, bytes: artifact.bytes, sha256: artifact.sha256 }, artifacts: [{ name: mainName, file: artifact }] };
}

async function* oneChunk(content: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield content;
}
