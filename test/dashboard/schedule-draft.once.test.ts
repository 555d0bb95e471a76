import { expect, test } from 'vitest';
import { inputOf, type ScheduleDraft } from '../../src/dashboard/schedules/schedule-draft.ts';

const before: ScheduleDraft = {
  name: 'nightly',
  type: 'publish',
  cron: '0 3 * * *',
  timeZone: 'UTC',
  input: '{ "film": "a", "token": "•••" }',
  overlap: 'SKIP',
  priority: '',
  maxAttempts: '',
  tags: 'one, two',
  webhookUrl: '',
  concurrencyKey: '',
  concurrencyLimit: '',
};

test('an input with secrets is left as it is, or filled in as a whole', () => {
  expect(inputOf({ ...before, name: 'late' }, before)).not.toHaveProperty('input');
  expect(() => inputOf({ ...before, input: '{ "film": "b", "token": "•••" }' }, before)).toThrow(
    expect.objectContaining({ issues: [{ path: ['input'], message: expect.stringContaining('Fill it in again') }] }),
  );
  expect(inputOf({ ...before, input: '{ "film": "b", "token": "s3cret" }' }, before)).toMatchObject({ input: { film: 'b', token: 's3cret' } });
});
