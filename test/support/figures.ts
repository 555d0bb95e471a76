import { expect, vi } from 'vitest';

/** What a process has open, according to its metrics. */
export interface Figures {
  websockets: number;
  event_streams: number;
  subscriptions: number;
  broadcasts: number;
  stalled_connections: number;
  watched_credentials: number;
  watched_jobs: number;
  watched_logs: number;
  listening_workers: number;
  waiting_claims: number;
  bus_topics: number;
}

const nothing: Omit<Figures, 'bus_topics'> = {
  websockets: 0,
  event_streams: 0,
  subscriptions: 0,
  broadcasts: 0,
  stalled_connections: 0,
  watched_credentials: 0,
  watched_jobs: 0,
  watched_logs: 0,
  listening_workers: 0,
  waiting_claims: 0,
};

/** Reads the metrics over HTTP, as an operator does. */
export async function figuresOf({ url }: { url: string }): Promise<Figures> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const read = (name: string) => Number(new RegExp(`^longhaul_${name} (\\S+)$`, 'm').exec(text)?.[1]);
  return {
    websockets: read('websockets'),
    event_streams: read('event_streams'),
    subscriptions: read('subscriptions'),
    broadcasts: read('broadcasts'),
    stalled_connections: read('stalled_connections'),
    watched_credentials: read('watched_credentials'),
    watched_jobs: read('watched_jobs'),
    watched_logs: read('watched_logs'),
    listening_workers: read('listening_workers'),
    waiting_claims: read('waiting_claims'),
    bus_topics: read('bus_topics'),
  };
}

/** Waits until the metrics have these values. */
export async function untilFigures(target: { url: string }, expected: Partial<Figures>): Promise<void> {
  // Not `expect.poll`, which hooks must not call.
  const patience = { interval: 20, timeout: 20_000 };
  await vi.waitFor(async () => expect(await figuresOf(target)).toMatchObject(expected), patience);
}

/** Waits until nobody watches and nothing has leaked. @param before the figures before anyone watched */
export async function untilNothingIsLeft(target: { url: string }, before: Figures): Promise<void> {
  await untilFigures(target, { ...nothing, bus_topics: before.bus_topics });
}
