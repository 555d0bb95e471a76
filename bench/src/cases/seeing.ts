import { randomUUID } from 'node:crypto';
import type { App } from '../../../src/server/app.ts';
import type { Window } from '../../../src/database/keyset.ts';
import type { JobFilter } from '../../../src/jobs/read/filter.ts';
import { domainRound, startDomain } from '../domain.ts';
import { fillHistory, idOf } from '../history.ts';
import { empty, type Installation, settle } from '../installation.ts';
import { type Comparison, median, type Sample } from '../measure.ts';
import type { Stops } from '../stops.ts';
import type { Case } from './case.ts';

const many = 5_000_000;
const few = 5_000;

/** A page of 50 rows, and one more that tells whether another page follows. */
const page: Window = { above: null, below: null, direction: 'DESC', limit: 51 };

/** What is asked of a workspace with so many jobs. */
type Question = (app: App, workspaceId: string, jobs: number) => Promise<unknown>;

const ago = (milliseconds: number) => new Date(Date.now() - milliseconds);
const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

const statistics = (step: 'MINUTE' | 'HOUR' | 'DAY', range: number, types: string[] | null = null): Question => ({ services }, id) =>
  services.jobs.statistics(id, { step, from: ago(range), types });

const filters: Record<string, (jobs: number) => JobFilter> = {
  'no filter': () => ({}),
  'one status': () => ({ statuses: ['FAILED'] }),
  'what waits and runs': () => ({ statuses: ['PENDING', 'RUNNING'] }),
  'what failed or was cancelled': () => ({ statuses: ['FAILED', 'CANCELLED'] }),
  'one type': () => ({ types: ['export'] }),
  'three types': () => ({ types: ['export', 'preview', 'none'] }),
  'a frequent tag': () => ({ tags: ['all'] }),
  'a rare tag': () => ({ tags: ['rare'] }),
  'two tags, one of them rare': () => ({ tags: ['all', 'rare'] }),
  'two tags, of one job in ten': () => ({ tags: ['all', 'tenth'] }),
  'a frequent error code': () => ({ errorCodes: ['BROKEN'] }),
  'rare error codes': () => ({ errorCodes: ['ODD', 'NONE'] }),
  'a busy worker': () => ({ workerIds: ['worker-7'] }),
  'workers of long ago': () => ({ workerIds: ['gone', 'nobody'] }),
  'a rare dialect': () => ({ dialects: ['VYDRA'] }),
  'the usual dialect': () => ({ dialects: ['NATIVE'] }),
  'a rare reference': () => ({ clientReference: 'order-13' }),
  'a frequent reference': () => ({ clientReference: 'import' }),
  'a frequent reference and a rare tag': () => ({ clientReference: 'import', tags: ['rare'] }),
  '100 ids': (jobs) => ({ ids: Array.from({ length: 100 }, (_, n) => idOf(jobs, n * 7 + 1)) }),
  'a status, created long ago': (jobs) => ({ statuses: ['FAILED'], createdBefore: ago(jobs * 100 - hour) }),
  'a status, finished lately': () => ({ statuses: ['FAILED'], finishedAfter: ago(hour) }),
  'a status and a tag that no job has both': () => ({ statuses: ['FAILED'], tags: ['tenth'] }),
  'a status and a type that no job has both': () => ({ statuses: ['FAILED'], types: ['export'] }),
  'status, type and tag': () => ({ statuses: ['FAILED'], types: ['analysis'], tags: ['all'] }),
};

const count = (name: string, filter: (jobs: number) => JobFilter): [string, Question] => [
  `count up to 10,000, ${name}`,
  ({ services }, id, jobs) => services.jobs.counting.upTo(id, filter(jobs), 10_001),
];

const questions: Record<string, Question> = {
  jobCounts: ({ services }, id) => services.jobs.counting.byStatus(id),
  'statistics of 1,000 minutes': statistics('MINUTE', 999 * minute),
  'statistics of 1,000 hours': statistics('HOUR', 999 * hour),
  'statistics of 730 days': statistics('DAY', 730 * day),
  'statistics of 100 hours, three types': statistics('HOUR', 100 * hour, ['export', 'preview', 'comments']),
  'count up to 100,000': ({ services }, id) => services.jobs.counting.upTo(id, {}, 100_001),
  ...Object.fromEntries(
    Object.entries(filters).flatMap(([name, filter]): [string, Question][] => [
      [`page, ${name}`, ({ services }, id, jobs) => services.jobs.list(id, filter(jobs), page)],
      // A count of what no one index has is bounded by the time limit alone.
      ...(name.includes('finished') || name.includes(' and tag') ? [] : [count(name, filter)]),
    ]),
  ),
};

/** Lists, counts, every filter and statistics of a workspace with five million jobs, beside one with five thousand. */
export const seeing: Case = async (installation: Installation, stops: Stops) => {
  const app = await startDomain(installation, stops);
  // What is not counted yet shall stay so.
  await app.sweeper.stop();
  await empty(installation);
  const sides = [few, many].map((jobs) => ({ jobs, workspaceId: randomUUID() }));
  for (const side of sides) await fillHistory(installation, side);
  await settle(installation);
  const side = (jobs: number, ask: Question) => ({
    name: `${jobs.toLocaleString('en')} jobs`,
    round: (seconds: number) => round(installation, () => ask(app, sides.find((each) => each.jobs === jobs)?.workspaceId ?? '', jobs), seconds),
  });
  return Object.entries(questions).map(([title, ask]): Comparison => ({
    title,
    unit: 'ms',
    aim: { text: '≤ 50 ms', reached: (_ratio, first) => first <= 50 },
    sides: [side(many, ask), side(few, ask)],
  }));
};

async function round(installation: Installation, ask: () => Promise<unknown>, seconds: number): Promise<Sample> {
  const times: number[] = [];
  const end = performance.now() + seconds * 1_000;
  const sample = await domainRound(installation, async () => {
    do {
      const start = performance.now();
      await ask();
      times.push(performance.now() - start);
    } while (performance.now() < end);
    return times.length;
  });
  return { ...sample, value: median(times) };
}
