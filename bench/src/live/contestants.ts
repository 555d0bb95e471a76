import { RedisPubSub } from 'graphql-redis-subscriptions';
import { encodeLeaseToken } from '../../../src/jobs/claim/lease-token.ts';
import { startDomain } from '../domain.ts';
import { defaultWorkspace, empty, type Installation } from '../installation.ts';
import { type Server, startApollo, startLonghaul, startRaw } from '../servers.ts';
import type { Stops } from '../stops.ts';
import { Crowds } from './crowds.ts';
import { pace } from './pace.ts';
import type { Broadcasting } from './raw-ws.ts';
import { stampedMessage } from './stamps.ts';

export const watchers = 1_000;

export const jobProgressQuery = `subscription ($id: ID!, $afterVersion: Int) {
  jobProgress(id: $id, afterVersion: $afterVersion) { id status version progress { step message percentage } updatedAt }
}`;

/** A server with a thousand watchers of one job. */
export interface Contestant {
  name: string;
  server: Server;
  crowds: Crowds;
  /** Makes versions at a rate per second. Returns a function that stops it. */
  drive(rate: number): () => Promise<void>;
}

interface Contestants {
  longhaul: Contestant;
  /** Sends each socket its own frame, with its subscriber's id. */
  raw: Contestant;
  /** Sends every socket the same text. */
  rawSame: Contestant;
  apollo: Contestant;
}

export async function startContestants(installation: Installation, stops: Stops): Promise<Contestants> {
  const { key } = installation;
  const domain = await startDomain(installation, stops);
  const { jobs } = domain.services;
  await empty(installation);
  const workspaceId = await defaultWorkspace(installation);
  const input = { sourceUrl: 'https://media.example.com/videos/1.mp4' };
  const job = await jobs.create(workspaceId, { type: 'analysis', input }, { dialect: 'NATIVE' });
  const [attempt] = await jobs.claim(workspaceId, { types: ['analysis'], limit: 1, workerId: 'bench' });
  if (attempt?.job.id !== job.id) throw new Error('the job could not be claimed');

  // Nobody reports between rounds, so the lease must not expire.
  await installation.admin.query(
    `UPDATE lease SET seconds = 86400, expires_at = now() + interval '1 day', deadline_at = now() + interval '1 day'`,
  );

  const id = `job_${job.id}`;
  const variables = Array.from({ length: watchers }, () => ({ id }));
  const crowdOf = (server: Server, snapshot: boolean) =>
    Crowds.open(server, key, { query: jobProgressQuery, variables, snapshot }, 1, stops);

  const token = encodeLeaseToken({ jobId: job.id, token: attempt.token });
  const report = (number: number) =>
    jobs.report(null, { token, step: 'rendering', message: stampedMessage(number), percentage: 42 });
  await report(0);

  const longhaulServer = await startLonghaul(installation, stops);
  const longhaul = {
    name: 'Longhaul',
    server: longhaulServer,
    crowds: await crowdOf(longhaulServer, true),
    drive: (rate: number) => driving((signal) => pace(rate, report, signal)),
  };

  const jobProgress = {
    id,
    status: 'RUNNING',
    version: 3,
    progress: { step: 'rendering', message: stampedMessage(0), percentage: 0 },
    updatedAt: new Date().toISOString(),
  };
  const rawServer = await startRaw(stops);
  const tell = async (broadcasting: Omit<Broadcasting, 'payload'>) => {
    const body: Broadcasting = { ...broadcasting, payload: JSON.stringify({ data: { jobProgress } }) };
    await fetch(`http://127.0.0.1:${rawServer.port}/broadcast`, { method: 'POST', body: JSON.stringify(body) });
  };
  await tell({ rate: 0, ids: 'own' });
  const rawCrowds = await crowdOf(rawServer, true);
  const rawWith = (name: string, ids: Broadcasting['ids']): Contestant => ({
    name,
    server: rawServer,
    crowds: rawCrowds,
    drive: (rate) => {
      const told = tell({ rate, ids });
      return () => told.then(() => tell({ rate: 0, ids }));
    },
  });

  const pubSub = new RedisPubSub({ connection: installation.redisUrl });
  stops.push(() => pubSub.close());
  const publish = (number: number) => {
    jobProgress.version += 1;
    jobProgress.progress.message = stampedMessage(number);
    jobProgress.updatedAt = new Date().toISOString();
    return pubSub.publish(`bench:${id}`, jobProgress);
  };
  const apolloServer = await startApollo(installation, stops);
  const apollo = {
    name: 'Apollo Server',
    server: apolloServer,
    crowds: await crowdOf(apolloServer, false),
    drive: (rate: number) => driving((signal) => pace(rate, publish, signal)),
  };
  // Apollo sends nothing before the next version and does not acknowledge subscriptions, so make versions until all got one.
  const end = apollo.drive(2);
  await apollo.crowds.begun();
  await end();

  return { longhaul, raw: rawWith('raw ws', 'own'), rawSame: rawWith('raw ws, one text', 'same'), apollo };
}

function driving(run: (signal: AbortSignal) => Promise<void>): () => Promise<void> {
  const over = new AbortController();
  const done = run(over.signal);
  return () => {
    over.abort();
    return done;
  };
}
