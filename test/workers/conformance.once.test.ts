import { expect, test } from 'vitest';
import { judged } from '../support/conformance.ts';

const worker = [process.execPath, 'test/support/faulty-worker.ts'];

/** In milliseconds: each takes a few seconds where the machine has nothing else to do. */
const patience = { timeout: 60_000 };

test('a worker is judged by the checks that are asked for, and the exit code says what came of it', patience, async (context) => {
  const [good, bad] = await Promise.all([
    judged(context, ['--only', 'failures,documents', '--', ...worker]),
    judged(context, ['--only', 'documents,failures', '--', ...worker], { FAULT: 'always-retryable' }),
  ]);
  expect(good.named('pass'), good.output).toEqual(['documents', 'failures']);
  expect(good.code).toBe(0);
  expect(bad.named('FAIL'), bad.output).toEqual(['failures']);
  expect(bad.output).toMatch(/^FAIL +failures +a job that no attempt helps was ended by failJob .*\(PROTOCOL\.md, C9\)$/m);
  expect(bad.code).toBe(1);
});

test('says what to do where there is nothing to judge', patience, async (context) => {
  const [nothing, noProgram, noHandler, noCheck] = await Promise.all([
    judged(context, []),
    judged(context, ['--', './no-such-worker']),
    judged(context, ['--type', 'film', '--', ...worker]),
    judged(context, ['--only', 'speed', '--', ...worker]),
  ]);
  expect([nothing, noProgram, noHandler, noCheck].map(({ code }) => code)).toEqual([2, 2, 2, 2]);
  expect(nothing.output).toContain('Give the command that starts the worker, after --.');
  expect(noProgram.output).toContain('The worker could not be judged: spawn ./no-such-worker ENOENT');
  expect(noHandler.output).toContain('it claims conformance, and not film. Give it a handler for film, or name another by --type.');
  expect(noCheck.output).toContain('There is no check speed. There are documents, claims,');
});
