import type { Window } from '../../database/keyset.ts';
import type { Job } from '../../jobs/model/job.ts';
import type { JobLogLine } from '../../jobs/logs/line.ts';
import type { LinesAsked } from '../../jobs/logs/read.ts';
import { builder } from '../builder.ts';
import { type Connection, countCost, pageCost, readPage } from '../connection.ts';
import { JobLogLineType, LogLevelType } from './job-log-line.ts';
import { JobType } from './job.ts';

/** A page of a job's log, with what `droppedLines` needs. */
type LogPage = Connection<PlacedLine> & { job: Pick<Job, 'id' | 'workspaceId'> };

/** A line with its place, which cursors hold in the form of an id. */
type PlacedLine = JobLogLine & { id: string };

const JobLogConnection = builder.connectionObject(
  {
    type: JobLogLineType,
    name: 'JobLogConnection',
    description: "A page of a job's log.",
    fields: (t) => ({
      droppedLines: t.int({
        nullable: false,
        description: 'Lines that were left out because the job wrote more than is kept: the newest 10,000.',
        complexity: countCost,
        resolve: (page, _args, { loaders }) => loaders.droppedLines.load(logPage(page).job),
      }),
    }),
  },
  { name: 'JobLogEdge', description: 'A line and its place in the log.' },
);

builder.objectField(JobType, 'logs', (t) =>
  t.connection(
    {
      type: JobLogLineType,
      nullable: false,
      description: 'What its workers wrote down, oldest first.',
      complexity: pageCost,
      args: {
        level: t.arg({ type: LogLevelType, description: 'Only lines of this level and all above it. Default: all.' }),
        attempt: t.arg.int({ description: 'Only lines of the attempt with this number. Default: of all.' }),
      },
      resolve: async ({ id, workspaceId }, { level, attempt, ...args }, { cursors, loaders }, info): Promise<LogPage> => {
        const page = await readPage({ cursors, list: `logs ${id}`, order: 'ASC', args, info }, async (window) => {
          const asked = { ...rangeOf(window), level: level ?? 'DEBUG', attempt: attempt ?? null };
          const lines = await loaders.logs.load({ jobId: id, workspaceId, asked });
          return lines.map((line) => ({ ...line, id: placeOf(line.sequence) }));
        });
        return { ...page, job: { id, workspaceId } };
      },
    },
    JobLogConnection,
  ),
);

/** A sequence in the form of an id. */
function placeOf(sequence: number): string {
  return `00000000-0000-0000-0000-${String(sequence).padStart(12, '0')}`;
}

function sequenceOf(place: string): number {
  return Number(place.slice(-12));
}

function rangeOf({ above, below, inclusive = false, direction, limit }: Window): Omit<LinesAsked, 'level' | 'attempt'> {
  const own = inclusive ? 0 : 1;
  return {
    after: above === null ? 0 : sequenceOf(above) - 1 + own,
    upTo: below === null ? null : sequenceOf(below) - own,
    direction,
    limit,
  };
}

/** Narrows a connection to the page that `logs` returned: Pothos passes it on unchanged, but its types do not say so. */
function logPage(page: object): LogPage {
  if (isLogPage(page)) return page;
  throw new Error('a page of a log names no job');
}

function isLogPage(page: object): page is LogPage {
  return 'job' in page;
}
