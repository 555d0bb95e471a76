import { setTimeout as delay } from 'node:timers/promises';
import { encodeLeaseToken } from '../../../src/jobs/claim/lease-token.ts';
import type { App } from '../../../src/server/app.ts';
import { domainRound, startDomain } from '../domain.ts';
import { defaultWorkspace, empty, fill, type Installation, settle } from '../installation.ts';
import { Crowds } from '../live/crowds.ts';
import { percentile } from '../live/round.ts';
import { stampedMessage } from '../live/stamps.ts';
import { none, type Sample, type Side } from '../measure.ts';
import type { Case } from './case.ts';

const jobs = 100;
const watchers = 1_000;

/** Of each job, one in a call of its own. */
const linesPerSecond = 10;

/** Who claim and complete other jobs meanwhile, one at a time, and about how many these are in a second. */
const workers = 32;
const jobsPerSecond = 4_000;

const query = 'subscription ($id: ID!) { jobLogs(id: $id) { sequence level message } }';

/** A thousand lines a second of a hundred jobs, with a thousand watchers: what that costs claims and completions, and the delay. */
export const logs: Case = async (installation, stops) => {
  const app = await startDomain(installation, stops);
  const workspaceId = await defaultWorkspace(installation);
  await empty(installation);
  await fill(installation, { workspaceId, type: 'comments', jobs });
  const started = await app.services.jobs.claim(workspaceId, { types: ['comments'], limit: jobs, workerId: 'logger' });
  const tokens = started.map(({ job, token }) => encodeLeaseToken({ jobId: job.id, token }));
  const beat = setInterval(() => void Promise.all(tokens.map((token) => app.services.jobs.report(null, { token }))), 5_000);
  stops.push(async () => clearInterval(beat));
  const variables = Array.from({ length: watchers }, (_, index) => ({ id: started[index % jobs]?.job.id }));
  const server = { pid: process.pid, port: Number(new URL(app.url).port), stop: () => app.stop() };
  const crowds = await Crowds.open(server, installation.key, { query, variables, snapshot: false }, 1, stops);

  const transitions = (name: string, logged: boolean): Side => ({
    name,
    round: async (seconds) => {
      await prepare(installation, workspaceId, seconds);
      const over = delay(seconds * 1_000);
      const [sample] = await Promise.all([
        domainRound(installation, () => completeFor(app, workspaceId, seconds)),
        logged ? write(app, tokens, seconds) : over,
      ]);
      await crowds.count();
      return sample;
    },
  });
  const delays = (name: string, busy: boolean): Side => ({
    name,
    round: async (seconds): Promise<Sample> => {
      await prepare(installation, workspaceId, busy ? seconds : 0);
      await Promise.all([write(app, tokens, seconds), busy ? completeFor(app, workspaceId, seconds) : null]);
      const { messages, delays: seen } = await crowds.count();
      return { value: percentile(seen, 0.99), count: messages, cpu: null, postgresCpu: null };
    },
  });
  return [
    {
      title: `claim + complete, N = 1, ${workers} workers`,
      unit: 'jobs/s',
      aim: none,
      sides: [transitions('with 1,000 lines/s', true), transitions('without', false)],
    },
    {
      title: 'p99 from line to watcher',
      unit: 'ms',
      aim: none,
      sides: [delays('with these workers', true), delays('without', false)],
    },
  ];
};

async function prepare(installation: Installation, workspaceId: string, seconds: number): Promise<void> {
  await installation.admin.query(`DELETE FROM job WHERE type = 'analysis'`);
  if (seconds > 0) await fill(installation, { workspaceId, type: 'analysis', jobs: Math.ceil(seconds * jobsPerSecond) });
  await settle(installation);
}

async function completeFor({ services }: App, workspaceId: string, seconds: number): Promise<number> {
  const end = performance.now() + seconds * 1_000;
  const worker = async (): Promise<number> => {
    let done = 0;
    while (performance.now() < end) {
      const [started] = await services.jobs.claim(workspaceId, { types: ['analysis'], limit: 1, workerId: 'bench' });
      if (started === undefined) break;
      const token = encodeLeaseToken({ jobId: started.job.id, token: started.token });
      await services.jobs.complete(workspaceId, { token, output: { scenes: 42 } });
      done += 1;
    }
    return done;
  };
  const counts = await Promise.all(Array.from({ length: workers }, worker));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Warns if it could not keep the rate. */
async function write({ services }: App, tokens: readonly string[], seconds: number): Promise<void> {
  const end = performance.now() + seconds * 1_000;
  const pause = 1_000 / linesPerSecond;
  const logger = async (token: string, index: number): Promise<number> => {
    let lines = 0;
    for (let due = performance.now() + (pause * index) / tokens.length; due < end; due += pause) {
      await delay(Math.max(0, due - performance.now()));
      await services.jobs.logs.append(null, { token, lines: [{ message: stampedMessage(lines), fields: { scene: lines } }] });
      lines += 1;
    }
    return lines;
  };
  const began = performance.now();
  const counts = await Promise.all(tokens.map(logger));
  const rate = counts.reduce((sum, count) => sum + count, 0) / ((performance.now() - began) / 1_000);
  if (rate < 0.9 * linesPerSecond * tokens.length) process.stderr.write(`only ${Math.round(rate)} lines/s were written\n`);
}
