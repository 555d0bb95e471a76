import { bulk } from './bulk.ts';
import type { Case } from './case.ts';
import { claimComplete } from './claim-complete.ts';
import { claimDepth } from './claim-depth.ts';
import { createJob } from './create-job.ts';
import { createJobs } from './create-jobs.ts';
import { fair } from './fair.ts';
import { jobLife } from './job-life.ts';
import { jobQuery } from './job-query.ts';
import { jobsPage } from './jobs-page.ts';
import { liveBroadcast } from './live-broadcast.ts';
import { liveIdle } from './live-idle.ts';
import { logs } from './logs.ts';
import { pageDepth } from './page-depth.ts';
import { poll } from './poll.ts';
import { retention } from './retention.ts';
import { seeing } from './seeing.ts';

const cases: Record<string, Case> = {
  'job-query': jobQuery,
  'jobs-page': jobsPage,
  'create-job': createJob,
  'create-jobs': createJobs,
  'claim-complete': claimComplete,
  'claim-depth': claimDepth,
  'job-life': jobLife,
  'page-depth': pageDepth,
  poll,
  fair,
  seeing,
  bulk,
  retention,
  'live-broadcast': liveBroadcast,
  'live-idle': liveIdle,
  logs,
};

export const caseNames = Object.keys(cases);

export function caseOf(name: string): Case {
  const found = cases[name];
  if (found === undefined) throw new Error(`There is no case ${name}. There are: ${caseNames.join(', ')}.`);
  return found;
}
