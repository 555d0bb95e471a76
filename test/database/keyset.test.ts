import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Window } from '../../src/database/keyset.ts';
import { ValidationError } from '../../src/errors.ts';
import type { Job } from '../../src/jobs/model/job.ts';
import { countJobs, listJobs } from '../../src/jobs/read/list.ts';
import type { JobFilter } from '../../src/jobs/read/filter.ts';
import { refusal, Tenant } from '../support/domain.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
let tenant: Tenant;
/** In the order of their creation; nothing changes them after it. */
let jobs: Job[];

beforeAll(async () => {
  longhaul = await sharedLonghaul();
  const [own, other] = await Promise.all([Tenant.in(longhaul), Tenant.in(longhaul)]);
  tenant = own;
  const asked = Array.from({ length: 24 }, (_, index) => ({
    type: index % 2 === 0 ? 'fingerprint' : 'transcribe',
    tags: ['all', ...(index % 3 === 0 ? ['third'] : []), ...(index % 4 === 0 ? ['fourth'] : [])],
  }));
  // The other workspace's jobs lie between, before and after those of the first.
  const created: Job[] = [];
  for (let from = 0; from < asked.length; from += 4) {
    await other.createAll(asked.slice(from, from + 4));
    created.push(...(await tenant.createAll(asked.slice(from, from + 4))));
  }
  await other.createAll(asked);
  for (const index of [5, 12, 13]) {
    const job = created[index];
    if (job !== undefined) await tenant.cancel(job.id);
  }
  await tenant.claim({ limit: 2 });
  jobs = await Promise.all(created.map(({ id }) => tenant.read(id)));
});
afterAll(() => longhaul.stop());

const whole: Window = { above: null, below: null, direction: 'ASC', limit: 100 };

async function list(filter: JobFilter, window: Partial<Window> = {}): Promise<string[]> {
  const found = await listJobs(longhaul.services.database, tenant.id, filter, { ...whole, ...window });
  return found.map(({ id }) => id);
}

async function count(filter: JobFilter): Promise<number> {
  const counted = await countJobs(longhaul.services.database.reads, tenant.id, filter);
  return counted.count;
}

function idsWhere(matches: (job: Job) => boolean): string[] {
  return jobs.filter(matches).map(({ id }) => id);
}

function at(index: number): Job {
  const job = jobs.at(index);
  if (job === undefined) throw new Error(`There is no job ${index}.`);
  return job;
}

test('without a filter a list has the whole jobs of its workspace, in either order', async () => {
  const found = await listJobs(longhaul.services.database, tenant.id, {}, whole);
  expect(found).toEqual(jobs);
  expect(await list({}, { direction: 'DESC' })).toEqual(idsWhere(() => true).toReversed());
  expect(await count({})).toBe(24);
});

const filters: { name: string; filter: JobFilter; matches: (job: Job) => boolean }[] = [
  { name: 'one status', filter: { statuses: ['CANCELLED'] }, matches: ({ status }) => status === 'CANCELLED' },
  {
    name: 'two statuses',
    filter: { statuses: ['RUNNING', 'CANCELLED', 'RUNNING'] },
    matches: ({ status }) => status === 'RUNNING' || status === 'CANCELLED',
  },
  { name: 'one type', filter: { types: ['transcribe'] }, matches: ({ type }) => type === 'transcribe' },
  { name: 'two types', filter: { types: ['transcribe', 'fingerprint'] }, matches: () => true },
  { name: 'one tag', filter: { tags: ['third'] }, matches: ({ tags }) => tags.includes('third') },
  {
    name: 'every one of several tags',
    filter: { tags: ['third', 'fourth', 'all', 'third'] },
    matches: ({ tags }) => tags.includes('third') && tags.includes('fourth'),
  },
  {
    name: 'status, type and tag',
    filter: { statuses: ['PENDING'], types: ['fingerprint'], tags: ['third'] },
    matches: ({ status, type, tags }) => status === 'PENDING' && type === 'fingerprint' && tags.includes('third'),
  },
  { name: 'a type that nothing has', filter: { types: ['no such type'] }, matches: () => false },
  { name: 'no status at all', filter: { statuses: [] }, matches: () => false },
  { name: 'no type at all', filter: { types: [] }, matches: () => false },
  { name: 'no tag, which does not narrow', filter: { tags: [] }, matches: () => true },
  { name: 'nulls, which do not narrow', filter: { statuses: null, types: null, tags: null }, matches: () => true },
];

test.each(filters)('filtered by $name, a list has what matches, and the count agrees', async ({ filter, matches }) => {
  expect(await list(filter)).toEqual(idsWhere(matches));
  expect(await count(filter)).toBe(idsWhere(matches).length);
});

test.each(filters)('filtered by $name, pages in both directions have every job once', async ({ filter, matches }) => {
  const forward: string[] = [];
  for (let above: string | null = null; ; ) {
    const page: string[] = await list(filter, { above, limit: 5 });
    forward.push(...page);
    above = page.at(-1) ?? null;
    if (above === null) break;
  }
  const backward: string[] = [];
  for (let below: string | null = null; ; ) {
    const page: string[] = await list(filter, { below, direction: 'DESC', limit: 5 });
    backward.push(...page);
    below = page.at(-1) ?? null;
    if (below === null) break;
  }
  expect(forward).toEqual(idsWhere(matches));
  expect(backward).toEqual(forward.toReversed());
});

test('the bounds of a window are not in it', async () => {
  const [above, below] = [at(3).id, at(8).id];
  const between = [4, 5, 6, 7].map((index) => at(index).id);
  expect(await list({}, { above, below })).toEqual(between);
  expect(await list({ tags: ['all'] }, { above, below })).toEqual(between);
  expect(await list({}, { above: below, below: above })).toEqual([]);
});

test('dates of creation bound a list by the millisecond, both exclusive', async () => {
  const { createdAt } = at(10);
  const later = ({ createdAt: other }: Job) => other > createdAt;
  const earlier = ({ createdAt: other }: Job) => other < createdAt;
  expect(await list({ createdAfter: createdAt })).toEqual(idsWhere(later));
  expect(await list({ createdBefore: createdAt })).toEqual(idsWhere(earlier));
  const justBefore = new Date(createdAt.getTime() - 1);
  const justAfter = new Date(createdAt.getTime() + 1);
  const same = (job: Job) => !later(job) && !earlier(job);
  expect(await list({ createdAfter: justBefore, createdBefore: justAfter })).toEqual(idsWhere(same));
  expect(await count({ createdAfter: createdAt, createdBefore: createdAt })).toBe(0);
});

test('dates that no id can carry are taken to the nearest', async () => {
  expect(await list({ createdAfter: new Date('0001-01-01T00:00:00Z') })).toEqual(idsWhere(() => true));
  expect(await list({ createdBefore: new Date('+275760-01-01T00:00:00Z') })).toEqual(idsWhere(() => true));
  expect(await list({ createdAfter: new Date('+275760-01-01T00:00:00Z') })).toEqual([]);
});

test.each<{ name: string; filter: JobFilter; path: string[] }>([
  { name: '21 tags', filter: { tags: Array.from({ length: 21 }, String) }, path: ['tags'] },
  { name: 'NUL in a tag', filter: { tags: ['\0'] }, path: ['tags', '0'] },
  { name: 'half a surrogate pair in a type', filter: { types: ['\uD83D'] }, path: ['types', '0'] },
  { name: 'a date that is none', filter: { createdAfter: new Date(Number.NaN) }, path: ['createdAfter'] },
])('a filter with $name is refused', async ({ filter, path }) => {
  expect(await refusal(ValidationError, list(filter))).toMatchObject({ issues: [{ path }] });
  expect(await refusal(ValidationError, count(filter))).toMatchObject({ issues: [{ path }] });
});
