import { expect, test } from 'vitest';
import { cronIssues, occurrencesOf } from '../../src/jobs/schedules/cron.ts';

/** The next occurrences after an instant, as UTC. */
function next(cron: string, timeZone: string, from: string, count: number): string[] {
  const { after } = occurrencesOf(cron, timeZone);
  const found: string[] = [];
  for (let at = after(new Date(from)); at !== null && found.length < count; at = after(at)) found.push(at.toISOString().replace('.000Z', 'Z'));
  return found;
}

function hours(day: string, times: readonly string[]): string[] {
  return times.map((time) => `${day}T${time}Z`);
}

/** What is wrong, by field. */
function paths(cron: string, timeZone = 'UTC'): string[] {
  return cronIssues(cron, timeZone).map(({ path }) => path.join('.'));
}

test('an occurrence at a fixed hour that a change of the clock skips comes right after it', () => {
  expect(next('30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', 2)).toEqual(['2026-03-29T01:00:00Z', '2026-03-30T00:30:00Z']);
  expect(next('30 2 * * *', 'America/New_York', '2026-03-08T00:00:00Z', 2)).toEqual(['2026-03-08T07:00:00Z', '2026-03-09T06:30:00Z']);
  expect(next('15 2 * * *', 'Australia/Lord_Howe', '2026-10-03T10:00:00Z', 2)).toEqual(['2026-10-03T15:30:00Z', '2026-10-04T15:15:00Z']);
  expect(next('0 0 * * *', 'America/Santiago', '2026-09-05T12:00:00Z', 2)).toEqual(['2026-09-06T04:00:00Z', '2026-09-07T03:00:00Z']);
});

test('several that are skipped come as one, also with seconds, and whatever minutes and seconds are', () => {
  for (const cron of ['*/10 2 * * *', '* 2 * * *', '0-59/7 2 * * *', '*/20 * 2 * * *', '0,30 2 * * *']) {
    expect({ cron, first: next(cron, 'Europe/Berlin', '2026-03-29T00:30:00Z', 2) }).toEqual({ cron, first: ['2026-03-29T01:00:00Z', '2026-03-30T00:00:00Z'] });
  }
});

test('an occurrence at a fixed hour that is repeated comes once, the first time', () => {
  expect(next('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', 2)).toEqual(['2026-10-25T00:30:00Z', '2026-10-26T01:30:00Z']);
  expect(next('*/30 1 * * *', 'Europe/London', '2026-10-24T22:00:00Z', 3)).toEqual(['2026-10-25T00:00:00Z', '2026-10-25T00:30:00Z', '2026-10-26T01:00:00Z']);
  expect(next('15,30 30 1 * * *', 'America/New_York', '2026-11-01T00:00:00Z', 3)).toEqual(['2026-11-01T05:30:15Z', '2026-11-01T05:30:30Z', '2026-11-02T06:30:15Z']);
  expect(next('45 1 * * *', 'Australia/Lord_Howe', '2026-04-04T10:00:00Z', 2)).toEqual(['2026-04-04T14:45:00Z', '2026-04-05T15:15:00Z']);
  // Also of a schedule that was made in the second of the two hours.
  expect(next('30 2 * * *', 'Europe/Berlin', '2026-10-25T01:10:00Z', 1)).toEqual(['2026-10-26T01:30:00Z']);
});

test('where the hour is a wildcard, there is one in each hour that passes; minutes and seconds go on over the change', () => {
  expect(next('30 * * * *', 'Europe/Berlin', '2026-03-29T00:00:00Z', 3)).toEqual(hours('2026-03-29', ['00:30:00', '01:30:00', '02:30:00']));
  expect(next('30 * * * *', 'Europe/Berlin', '2026-10-25T00:00:00Z', 3)).toEqual(hours('2026-10-25', ['00:30:00', '01:30:00', '02:30:00']));
  expect(next('*/30 * * * * *', 'America/New_York', '2026-11-01T05:59:20Z', 3)).toEqual(hours('2026-11-01', ['05:59:30', '06:00:00', '06:00:30']));
  expect(next('*/15 * * * *', 'Australia/Lord_Howe', '2026-04-04T14:50:00Z', 3)).toEqual(hours('2026-04-04', ['15:00:00', '15:15:00', '15:30:00']));
});

test('where the hour is a step, its hours are those that the clock shows: none for one that is skipped, and both where one is repeated', () => {
  // 0:00, 4:00 and 6:00; 0:00, 2:00, 2:00 again and 4:00.
  expect(next('0 */2 * * *', 'Europe/Berlin', '2026-03-28T22:30:00Z', 3)).toEqual(['2026-03-28T23:00:00Z', ...hours('2026-03-29', ['02:00:00', '04:00:00'])]);
  expect(next('0 */2 * * *', 'Europe/Berlin', '2026-10-24T21:30:00Z', 4)).toEqual(['2026-10-24T22:00:00Z', ...hours('2026-10-25', ['00:00:00', '01:00:00', '03:00:00'])]);
  expect(next('0 */2 * * *', 'America/New_York', '2026-03-08T04:30:00Z', 3)).toEqual(hours('2026-03-08', ['05:00:00', '08:00:00', '10:00:00']));
  // The hour that is repeated is odd: 0:00, 2:00 and 4:00, and 1:00, 1:00 again and 3:00.
  expect(next('0 */2 * * *', 'America/New_York', '2026-11-01T03:30:00Z', 3)).toEqual(hours('2026-11-01', ['04:00:00', '07:00:00', '09:00:00']));
  expect(next('0 1-23/2 * * *', 'America/New_York', '2026-11-01T04:30:00Z', 3)).toEqual(hours('2026-11-01', ['05:00:00', '06:00:00', '08:00:00']));
  expect(next('*/30 */2 * * *', 'Europe/Berlin', '2026-10-24T23:59:00Z', 4)).toEqual(hours('2026-10-25', ['00:00:00', '00:30:00', '01:00:00', '01:30:00']));
});

test('a cron expression that is none, one that never comes, and a zone that is none are named', () => {
  for (const cron of ['', '*', '* * * *', '60 * * * *', '* 24 * * *', 'a b c d e', '@daily', '* * * * * * 2027', '*/0 * * * *', '5/15 * * * *', '0 0 30 2 *']) {
    expect({ cron, paths: paths(cron) }).toEqual({ cron, paths: ['cron'] });
  }
  for (const zone of ['Mars/Olympus', '+01:00', '', 'Europe', 'Europe/Berlin ']) expect({ zone, paths: paths('0 7 * * *', zone) }).toEqual({ zone, paths: ['timeZone'] });
  for (const cron of ['0 7 * * *', '*/5 * * * * *', '0 7 * * MON-FRI', '0 0 1 JAN *', '0 0 29 2 *', '0 0 L * *']) expect(paths(cron, 'Asia/Kathmandu')).toEqual([]);
  for (const [cron, reason] of [
    ['60 * * * *', 'Invalid value for minute: 60'],
    ['0 0 32 * *', 'Invalid value for day: 32'],
    ['0 0 * 13 *', 'Invalid value for month: 13'],
    ['* * * * * * 2027', 'too many fields'],
  ] as const) {
    const message = `is not a cron expression (${reason}). Use five fields: minute, hour, day of month, month, day of week; or six, with seconds first`;
    expect(cronIssues(cron, 'UTC')).toEqual([{ path: ['cron'], message }]);
  }
});
