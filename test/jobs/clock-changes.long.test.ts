import { describe, expect, test } from 'vitest';
import { occurrencesOf } from '../../src/jobs/schedules/cron.ts';

const changes = [
  { name: 'Berlin springs from 2:00 to 3:00', zone: 'Europe/Berlin', at: '2026-03-29T01:00:00Z', back: false },
  { name: 'Berlin falls back from 3:00 to 2:00', zone: 'Europe/Berlin', at: '2026-10-25T01:00:00Z', back: true },
  { name: 'London springs from 1:00 to 2:00', zone: 'Europe/London', at: '2026-03-29T01:00:00Z', back: false },
  { name: 'London falls back from 2:00 to 1:00', zone: 'Europe/London', at: '2026-10-25T01:00:00Z', back: true },
  { name: 'New York springs from 2:00 to 3:00', zone: 'America/New_York', at: '2026-03-08T07:00:00Z', back: false },
  { name: 'New York falls back from 2:00 to 1:00', zone: 'America/New_York', at: '2026-11-01T06:00:00Z', back: true },
  { name: 'Lord Howe springs from 2:00 to 2:30', zone: 'Australia/Lord_Howe', at: '2026-10-03T15:30:00Z', back: false },
  { name: 'Lord Howe falls back from 2:00 to 1:30', zone: 'Australia/Lord_Howe', at: '2026-04-04T15:00:00Z', back: true },
  { name: 'Santiago springs over midnight', zone: 'America/Santiago', at: '2026-09-06T04:00:00Z', back: false },
] as const;

describe.each(changes)('when $name', ({ zone, at, back }) => {
  const day = 86_400_000;
  const from = new Date(new Date(at).getTime() - day);
  const to = new Date(new Date(at).getTime() + day);

  test.each([
    { hour: '*', fixed: false }, { hour: '*/2', fixed: false }, { hour: '1-4/1', fixed: false },
    { hour: '0', fixed: true }, { hour: '1', fixed: true }, { hour: '2', fixed: true }, { hour: '1-3', fixed: true }, { hour: '0,2,23', fixed: true },
  ])('hour $hour has the occurrences that a clock on the wall says', ({ hour, fixed }) => {
    for (const minute of ['*', '*/20', '0', '45', '5-50/15']) {
      const cron = `${minute} ${hour} * * *`;
      const expected = fixed ? fixedTimes(cron, zone, { from, to, at: new Date(at), back }) : elapsedTimes(cron, zone, { from, to });
      const { after, upTo } = occurrencesOf(cron, zone);
      const found: Date[] = [];
      for (let each = after(new Date(from.getTime() - 1_000)); each !== null && each < to; each = after(each)) found.push(each);
      expect({ cron, found }).toEqual({ cron, found: expected });
      // Backwards it is the same list.
      for (const [index, each] of expected.entries()) {
        if (index % 7 === 0) expect(upTo(new Date(each.getTime() + 500))).toEqual(each);
        if (index % 7 === 1) expect(upTo(new Date(each.getTime() - 500))).toEqual(expected[index - 1]);
      }
    }
  });
});

/** Every minute of a range, with what a clock on the wall shows. */
function minutesOf(zone: string, { from, to }: { from: Date; to: Date }): { at: Date; hour: number; minute: number; day: string }[] {
  const clock = new Intl.DateTimeFormat('en-CA', { timeZone: zone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' });
  return Array.from({ length: (to.getTime() - from.getTime()) / 60_000 }, (_, n) => {
    const at = new Date(from.getTime() + n * 60_000);
    const [day = '', time = ''] = clock.format(at).split(', ');
    const [hour = Number.NaN, minute = Number.NaN] = time.split(':').map(Number);
    return { at, hour, minute, day };
  });
}

/** The numbers of a field, read in another way than the parser's. */
function numbersOf(field: string, most: number): Set<number> {
  return new Set(field.split(',').flatMap((part) => {
    const [range = '', step = '1'] = part.split('/');
    const [first = 0, last = first] = range === '*' ? [0, most] : range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, n) => first + n).filter((number) => (number - first) % Number(step) === 0);
  }));
}

function elapsedTimes(cron: string, zone: string, range: { from: Date; to: Date }): Date[] {
  const [minutes = new Set(), hours = new Set()] = [numbersOf(cron.split(' ')[0] ?? '', 59), numbersOf(cron.split(' ')[1] ?? '', 23)];
  return minutesOf(zone, range).filter(({ hour, minute }) => hours.has(hour) && minutes.has(minute)).map(({ at }) => at);
}

/** The first time that the wall shows it; what it never shows, right after the change. */
function fixedTimes(cron: string, zone: string, { at, back, ...range }: { from: Date; to: Date; at: Date; back: boolean }): Date[] {
  const seen = new Set<string>();
  const first = minutesOf(zone, range).filter(({ day, hour, minute }) => {
    const shown = `${day} ${hour}:${minute}`;
    return !seen.has(shown) && seen.add(shown);
  });
  const times = new Set(elapsedTimes(cron, zone, range).map(Number));
  const shown = first.filter((each) => times.has(each.at.getTime())).map((each) => each.at);
  if (back || shown.some((each) => each.getTime() === at.getTime())) return shown;
  // What the hands go through in no time.
  const hands = elapsedTimes(cron, 'UTC', skippedBy(zone, at));
  return hands.length === 0 ? shown : [...shown, at].toSorted((a, b) => a.getTime() - b.getTime());
}

/** The wall times that a change skips, as if they were UTC. */
function skippedBy(zone: string, at: Date): { from: Date; to: Date } {
  const [before, after] = minutesOf(zone, { from: new Date(at.getTime() - 60_000), to: new Date(at.getTime() + 60_000) });
  if (before === undefined || after === undefined) throw new Error('no minutes');
  const wall = ({ day, hour, minute }: typeof before) => Date.parse(`${day}T${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}:00Z`);
  return { from: new Date(wall(before) + 60_000), to: new Date(wall(after)) };
}
