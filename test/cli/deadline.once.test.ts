import { createClient } from '@longhaul/client';
import { expect, onTestFinished, test, vi } from 'vitest';
import { onInterruption } from '../../src/cli/interruption.ts';
import { waitForJobs } from '../../src/cli/jobs/wait-for-jobs.ts';

test('a watch has one deadline, however many calls it is made of and whenever they begin', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const client = createClient({ url: 'http://localhost', auth: 'of nobody' });
  using interruption = onInterruption();
  const left = await waitForJobs({ client, open: new Set(['job_1', 'job_2']), again: () => '' }, { timeout: 90_000, quiet: true }, interruption, async ({ limits }) => {
    const first = limits();
    vi.advanceTimersByTime(60_000);
    return [first.timeout, limits().timeout];
  });
  expect(left).toEqual([90_000, 30_000]);
});
