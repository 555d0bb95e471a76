import { afterEach, expect, test, vi } from 'vitest';
import { Loop, type Run, type Went } from '../../src/concurrency/loop.ts';
import { silentLog } from '../../src/log.ts';
import { eventually } from '../support/eventually.ts';

afterEach(() => {
  vi.useRealTimers();
});

/** A loop whose runs end when the test says so. */
function steppedLoop(pollMilliseconds: number | null = null) {
  const runs: (PromiseWithResolvers<Went | void> & Run)[] = [];
  const warnings: { err?: unknown }[] = [];
  const loop = new Loop({
    name: 'the work',
    work: (run) => {
      const step = { ...Promise.withResolvers<Went | void>(), ...run };
      runs.push(step);
      return step.promise;
    },
    pollMilliseconds,
    log: { ...silentLog, warn: (fields) => void warnings.push(fields) },
  });
  const begun = (count: number) => eventually(() => expect(runs).toHaveLength(count));
  return { loop, runs, warnings, begun };
}

test('whoever wakes it many times in one tick is answered by one run', async () => {
  const { loop, runs, begun } = steppedLoop();
  for (let times = 0; times < 100; times += 1) loop.wake();
  await begun(1);
  runs[0]?.resolve();
  await loop.stop();
  expect(runs).toHaveLength(1);
});

test('however many wake it during a run, one more run follows, and never two at a time', async () => {
  const { loop, runs, begun } = steppedLoop();
  loop.wake();
  await begun(1);
  for (let times = 0; times < 100; times += 1) loop.wake();
  await new Promise(setImmediate);
  expect(runs).toHaveLength(1);
  runs[0]?.resolve();
  await begun(2);
  runs[1]?.resolve();
  await loop.stop();
  expect(runs).toHaveLength(2);
});

test('work that says that there is more is run again until there is none', async () => {
  const { loop, runs, begun } = steppedLoop();
  const settled = loop.settle();
  await begun(1);
  runs[0]?.resolve('more');
  await begun(2);
  runs[1]?.resolve();
  await settled;
  expect(runs).toHaveLength(2);
});

test('a run that throws is logged, and the next wake-up begins another', async () => {
  const { loop, runs, warnings, begun } = steppedLoop();
  const failed = loop.settle();
  await begun(1);
  const error = new Error('the database is away');
  runs[0]?.reject(error);
  await failed;
  expect(warnings).toEqual([{ err: error }]);
  loop.wake();
  await begun(2);
  runs[1]?.resolve();
  await loop.stop();
});

test('work that throws before it gives a promise is logged too', async () => {
  const warn = vi.fn<(fields: object, message: string) => void>();
  const loop = new Loop({
    name: 'the work',
    work: () => {
      throw new Error('broken');
    },
    pollMilliseconds: null,
    log: { ...silentLog, warn },
  });
  await loop.settle();
  expect(warn).toHaveBeenCalledExactlyOnceWith(expect.anything(), 'the work failed; the next run tries again');
});

test('the poll begins a run by itself, which knows that it was the poll', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const { loop, runs, begun } = steppedLoop(1_000);
  loop.start();
  loop.start();
  loop.wake();
  await begun(1);
  vi.advanceTimersByTime(1_000);
  runs[0]?.resolve();
  await begun(2);
  runs[1]?.resolve();
  await loop.stop();
  expect(runs.map(({ polled }) => polled)).toEqual([false, true]);
  expect(vi.getTimerCount()).toBe(0);
});

test('its stop waits for the run under way, begins no other, and may be called twice', async () => {
  const { loop, runs, begun } = steppedLoop();
  loop.wake();
  await begun(1);
  loop.wake();
  const stopped: string[] = [];
  const stops = ['first', 'second'].map((name) => loop.stop().then(() => stopped.push(name)));
  await new Promise(setImmediate);
  expect(stopped).toEqual([]);
  runs[0]?.resolve('more');
  await Promise.all(stops);
  loop.wake();
  await loop.settle();
  expect(runs).toHaveLength(1);
});

test('its stop after its start begins nothing, and a start after it neither', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const { loop, runs } = steppedLoop(1_000);
  loop.start();
  await loop.stop();
  loop.start();
  vi.advanceTimersByTime(10_000);
  await loop.settle();
  expect(runs).toEqual([]);
});

test.each(['failed', 'thrown'])('work that failed (%s) is overdue until it succeeds, and finding nothing to do is no success', async (how) => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  const { loop, runs, begun } = steppedLoop(60_000);
  loop.start();
  const run = async (end: (step: (typeof runs)[number]) => void) => {
    const settled = loop.settle();
    await begun(runs.length + 1);
    const step = runs.at(-1);
    if (step !== undefined) end(step);
    await settled;
  };
  await run((step) => step.resolve('idle'));
  expect(loop.isOverdue).toBe(false);
  await run((step) => (how === 'thrown' ? step.reject(new Error('away')) : step.resolve('failed')));
  vi.advanceTimersByTime(59_000);
  expect(loop.isOverdue).toBe(false);
  for (let minutes = 0; minutes < 3; minutes += 1) {
    vi.advanceTimersByTime(59_000);
    await run((step) => step.resolve('idle'));
  }
  expect(loop.isOverdue).toBe(true);
  await run((step) => step.resolve());
  expect(loop.isOverdue).toBe(false);
  await loop.stop();
});

test('work that wakes its own loop leaves everybody else their turn', async () => {
  const most = 1_000;
  let runs = 0;
  let runsBeforeOthers = most;
  const loop: Loop = new Loop({
    name: 'waking itself',
    work: async () => {
      runs += 1;
      if (runs === 1) setImmediate(() => {
        runsBeforeOthers = runs;
      });
      if (runs < most) loop.wake();
    },
    pollMilliseconds: null,
    log: silentLog,
  });
  await loop.settle();
  expect(runs).toBe(most);
  expect(runsBeforeOthers).toBeLessThan(10);
});
