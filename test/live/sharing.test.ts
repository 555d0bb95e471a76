import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Job } from '../../src/jobs/model/job.ts';
import { type Figures, figuresOf, untilFigures, untilNothingIsLeft } from '../support/figures.ts';
import { type Longhaul, sharedLonghaul, type TestWorkspace } from '../support/longhaul.ts';
import { RawEvents } from '../support/raw-events.ts';
import { RawSocket } from '../support/raw-socket.ts';
import { claim, submit } from '../support/steps.ts';

let longhaul: Longhaul;
let workspace: TestWorkspace;
let key: string;
let before: Figures;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
  workspace = await longhaul.workspace();
  key = await workspace.key();
  before = await figuresOf(longhaul);
});
afterAll(() => longhaul.stop());

const query = `subscription ($id: ID!, $afterVersion: Int) {
  jobProgress(id: $id, afterVersion: $afterVersion) { version status progress { percentage } attempts { number } }
}`;

/** One watcher, whatever it came by. */
interface Watcher {
  payloads(): string[];
  /** Waits for an event of this version. */
  sees(version: number): Promise<void>;
  end(): Promise<unknown>;
  leave(): void;
}

test('S1, S2: fifty who watch one job over either transport are sent one text, rendered once for each version', async () => {
  const job = await submit(longhaul, workspace.id);
  // Each rendering reads the attempts.
  const reads = vi.spyOn(longhaul.services.jobs, 'attempts');
  const renderings = () => reads.mock.calls.length;
  try {
    const sockets = await Promise.all(Array.from({ length: 5 }, () => RawSocket.open(longhaul.url, key)));
    const watchers = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        // Those who have seen nothing say so in three ways.
        const afterVersion = [{}, { afterVersion: 0 }, { afterVersion: null }, { afterVersion: 1 }][index % 4];
        const variables = { id: job.id, ...afterVersion };
        const socket = sockets[index % 10];
        return socket === undefined ? overEvents(variables) : overSocket(socket, `operation ${index}`, variables);
      }),
    );
    await untilFigures(longhaul, { subscriptions: 50, broadcasts: 1, watched_jobs: 1 });
    await Promise.all(watchers.filter((_, index) => index % 4 !== 3).map((watcher) => watcher.sees(1)));
    expect(renderings()).toBe(1);

    const token = await claim(longhaul, job);
    await Promise.all(watchers.map((watcher) => watcher.sees(2)));
    expect(renderings()).toBe(2);
    await longhaul.services.jobs.report(null, { token, percentage: 40 });
    await Promise.all(watchers.map((watcher) => watcher.sees(3)));
    expect(renderings()).toBe(3);
    await longhaul.services.jobs.cancel(workspace.id, job.id);
    await Promise.all(watchers.map((watcher) => watcher.end()));
    expect(renderings()).toBe(4);

    const all = watchers[0]?.payloads() ?? [];
    expect(all.map(versionOf)).toEqual([1, 2, 3, 4]);
    for (const [index, watcher] of watchers.entries()) {
      expect(watcher.payloads()).toEqual(index % 4 === 3 ? all.slice(1) : all);
    }
    for (const socket of sockets) socket.ws.close();
    await untilNothingIsLeft(longhaul, before);
  } finally {
    reads.mockRestore();
  }
});

test('S1, P5: a late watcher gets the newest version at once, and one that resumes joins those who stayed', async () => {
  const job = await submit(longhaul, workspace.id);
  const socket = await RawSocket.open(longhaul.url, key);
  const first = await overSocket(socket, 'first', { id: job.id });
  await first.sees(1);
  const token = await claim(longhaul, job);
  await first.sees(2);

  const late = await overSocket(socket, 'late', { id: job.id });
  await late.sees(2);
  expect(late.payloads()).toEqual([first.payloads()[1]]);
  const resuming = await overEvents({ id: job.id, afterVersion: 2 });
  const ahead = await overEvents({ id: job.id, afterVersion: 3 });
  await untilFigures(longhaul, { subscriptions: 4, broadcasts: 1 });

  await longhaul.services.jobs.report(null, { token, percentage: 10 });
  await resuming.sees(3);
  await longhaul.services.jobs.cancel(workspace.id, job.id);
  await Promise.all([first, late, resuming, ahead].map((watcher) => watcher.end()));
  expect(resuming.payloads()).toEqual(first.payloads().slice(2));
  expect(ahead.payloads()).toEqual(first.payloads().slice(3));
  socket.ws.close();
  await untilNothingIsLeft(longhaul, before);
});

test('S1: what was carried out for many ends with the last of them, and not before', async () => {
  const job = await submit(longhaul, workspace.id);
  const [one, another] = [await RawSocket.open(longhaul.url, key), await RawSocket.open(longhaul.url, key)];
  const leaving = [
    await overSocket(one, 'completes', { id: job.id }),
    await overSocket(one, 'is cut off', { id: job.id }),
    await overEvents({ id: job.id }),
  ];
  const last = await overSocket(another, 'stays', { id: job.id });
  await Promise.all([...leaving, last].map((watcher) => watcher.sees(1)));
  await untilFigures(longhaul, { subscriptions: 4, broadcasts: 1 });
  for (const [index, watcher] of leaving.entries()) {
    if (index === 1) one.ws.terminate();
    else watcher.leave();
  }
  await untilFigures(longhaul, { subscriptions: 1, broadcasts: 1, watched_jobs: 1 });

  await claim(longhaul, job);
  await last.sees(2);
  last.leave();
  await untilFigures(longhaul, { subscriptions: 0, broadcasts: 0, watched_jobs: 0 });
  another.ws.close();
  await untilNothingIsLeft(longhaul, before);
});

test('S1: another document, another job and other variables are carried out for themselves', async () => {
  const [job, other] = [await submit(longhaul, workspace.id), await submit(longhaul, workspace.id)];
  const socket = await RawSocket.open(longhaul.url, key);
  socket.subscribe('a', { query, variables: { id: job.id } });
  socket.subscribe('b', { query, variables: { id: other.id } });
  socket.subscribe('c', { query: `${query} `, variables: { id: job.id } });
  socket.subscribe('the same as a', { query, variables: { id: job.id, unknown: 'no matter' } });
  await untilFigures(longhaul, { subscriptions: 4, broadcasts: 3, watched_jobs: 2 });
  socket.ws.close();
  await untilNothingIsLeft(longhaul, before);
});

async function overSocket(socket: RawSocket, id: string, variables: Record<string, unknown>): Promise<Watcher> {
  socket.subscribe(id, { query, variables });
  return {
    payloads: () => socket.payloads(id),
    sees: (version) => expect.poll(() => socket.payloads(id).map(versionOf)).toContain(version),
    end: () => socket.end(id),
    leave: () => socket.complete(id),
  };
}

async function overEvents(variables: Record<string, unknown>): Promise<Watcher> {
  const events = await RawEvents.open(longhaul.url, key, { query, variables });
  return {
    payloads: () => events.payloads,
    sees: (version) => expect.poll(() => events.payloads.map(versionOf)).toContain(version),
    end: () => events.end(),
    leave: () => events.response.destroy(),
  };
}

function versionOf(payload: string): Job['version'] {
  return JSON.parse(payload).data.jobProgress.version;
}
