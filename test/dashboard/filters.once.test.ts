import fc from 'fast-check';
import { expect, test } from 'vitest';
import { completed, completionsAt, type KnownValues } from '../../src/dashboard/jobs/filter-completion.ts';
import { type Filter, filterNames, filtersIn, instantOf, paramsOf, readText, textOf } from '../../src/dashboard/jobs/job-filters.ts';
import { jobFilterOf } from '../../src/dashboard/jobs/filter-meaning.ts';
import { href } from '../../src/dashboard/app/href.ts';

const now = Date.parse('2026-03-04T12:00:00Z');
const meaning = { now, utc: true, scheduleId: (name: string) => (name === 'nightly' ? 'schedule_1' : null) };
const asked = (text: string) => jobFilterOf(readText(text).filters, meaning);

test('the box takes conditions, several of a name, and values with spaces', () => {
  expect(asked('status:failed,cancelled type:demo type:export tag:"user 7" tag:night')).toEqual({
    statuses: ['FAILED', 'CANCELLED'],
    types: ['demo', 'export'],
    tags: ['user 7', 'night'],
  });
  expect(asked('error:BROKEN worker:w-1 dialect:vidocu schedule:nightly schedule:gone reference:order-7')).toEqual({
    errorCodes: ['BROKEN'],
    workerIds: ['w-1'],
    dialects: ['VIDOCU'],
    scheduleIds: ['schedule_1'],
    clientReference: 'order-7',
  });
  expect(asked('after:2h before:2026-03-04T11:30')).toEqual({ createdAfter: '2026-03-04T10:00:00.000Z', createdBefore: '2026-03-04T11:30:00.000Z' });
  expect(asked('after:2h after:1d')).toEqual({ createdAfter: '2026-03-03T12:00:00.000Z' });
  expect(asked('')).toEqual({});
});

test.each([
  'job_01a21ef1-c224-743c-8cc8-c55a87866463',
  '01a21ef1-c224-743c-8cc8-c55a87866463',
  'analysis_1708300000000_abc1234',
  'order/2026:7',
])('a word alone is something to open: %s', (word) => {
  expect(readText(` ${word} `)).toEqual({ filters: [], word, problem: null });
});

test.each([
  ['status:DONE', /no status DONE.*PENDING/],
  ['after:yesterday', /no time.*2h/],
  ['before:2026-13-01', /no time/],
  ['type:', /value after type:/],
  ['dialect:soap', /no dialect SOAP.*VYDRA/],
  ['status:FAILED nightly', /"nightly" is not a filter.*tag:nightly/],
  ['two words', /"two" is not a filter/],
])('what cannot be understood says what to write: %s', (text, problem) => {
  expect(readText(text).problem).toMatch(problem);
});

test('a day and a time without a zone are of the chosen zone; an instant with one is itself', () => {
  expect(instantOf('2026-02-03', now, true)).toBe(Date.UTC(2026, 1, 3));
  expect(instantOf('2026-02-03', now, false)).toBe(new Date(2026, 1, 3).getTime());
  expect(instantOf('2026-02-03T14:00+02:00', now, true)).toBe(Date.UTC(2026, 1, 3, 12));
});

const someFilters: fc.Arbitrary<Filter[]> = fc.uniqueArray(
  fc.record({ name: fc.constantFrom(...filterNames.filter((name) => !['status', 'dialect', 'after', 'before', 'reference'].includes(name))), value: fc.string({ minLength: 1 }) }),
  { selector: ({ name, value }) => `${name} ${value}` },
);

test('whatever the values are, the text and the address say them back', () => {
  fc.assert(
    fc.property(someFilters, (filters) => {
      expect(readText(textOf(filters))).toEqual({ filters, word: null, problem: null });
      const [, search] = href(['jobs'], paramsOf(filters)).split('?');
      const byName = filters.toSorted((one, other) => filterNames.indexOf(one.name) - filterNames.indexOf(other.name));
      expect(filtersIn(new URLSearchParams(search))).toEqual(byName);
    }),
  );
});

const known: KnownValues = { types: ['demo', 'media/trim', 'trim'], workers: [], schedules: [{ id: 'schedule_1', name: 'every night' }], tags: ['user:7'], errors: [] };
const offered = (text: string, caret = text.length) => completionsAt(text, caret, known).options.map((option) => option.text);

test('names are completed, then their values, at the caret', () => {
  expect(offered('t')).toEqual(['type:', 'tag:']);
  expect(offered('type:tri')).toEqual(['type:trim', 'type:media/trim']);
  expect(offered('type:trim')).toEqual(['type:media/trim']);
  expect(offered('schedule:"every')).toEqual(['schedule:"every night"']);
  expect(offered('tag:u status:FAILED', 5)).toEqual(['tag:user:7']);
  const text = 'st type:demo';
  const completions = completionsAt(text, 2, known);
  const [status] = completions.options;
  if (status === undefined) throw new Error('nothing is offered');
  expect(completed(text, completions, status)).toEqual({ text: 'status: type:demo', caret: 7 });
});
