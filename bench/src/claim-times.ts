import { randomUUID } from 'node:crypto';
import type { App } from '../../src/server/app.ts';
import { fill, type Installation } from './installation.ts';
import type { Sample } from './measure.ts';

/** A workspace with a queue that claims do not empty. */
export async function queueFor(installation: Installation, type: string, jobs: number): Promise<string> {
  const workspaceId = randomUUID();
  await installation.admin.query(`INSERT INTO workspace (id, name, credits, webhook_secret) VALUES ($1, 'claims', 1000000000, 'unused')`, [workspaceId]);
  await fill(installation, { workspaceId, type, jobs });
  return workspaceId;
}

/** The p99 of claims of one job, one after another, as long as it goes on. */
export async function p99OfClaims({ services }: App, workspaceId: string, type: string, goesOn: () => boolean): Promise<Sample> {
  const times: number[] = [];
  while (goesOn()) {
    const start = performance.now();
    await services.jobs.claim(workspaceId, { types: [type], limit: 1, workerId: 'bench' });
    times.push(performance.now() - start);
  }
  const value = times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? Number.NaN;
  return { value, count: times.length, cpu: null, postgresCpu: null };
}
