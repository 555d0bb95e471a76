import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { expect, onTestFinished, vi } from 'vitest';
import type { Bus } from '../../src/bus/bus.ts';

export function closedAfterTest(bus: Bus): Bus {
  onTestFinished(() => bus.close());
  return bus;
}

/** Waits until messages reach other processes. */
export async function connected(bus: Bus): Promise<Bus> {
  await vi.waitFor(() => expect(bus.healthy()).toBe(true), { timeout: 20_000, interval: 5 });
  return bus;
}

/**
 * Waits until all earlier messages have been delivered: messages arrive in order, so none of them comes after this one.
 *
 * @param times how often to wait, for messages that cause further ones
 */
export async function everythingArrived(publishing: Bus, times = 1, listening: Bus = publishing): Promise<void> {
  const topic = `fence:${randomUUID()}`;
  let next = Promise.withResolvers<void>();
  const unsubscribe = await listening.subscribe(topic, () => next.resolve());
  for (let time = 0; time < times; time += 1) {
    next = Promise.withResolvers();
    publishing.publish(topic, '');
    await next.promise;
  }
  unsubscribe();
}

export function nextReconnect(bus: Bus): Promise<void> {
  return new Promise((resolve) => {
    const remove = bus.onReconnect(() => {
      remove();
      resolve();
    });
  });
}

export function randomPrefix(): string {
  return `test:${randomUUID()}:`;
}

export async function resolvesWithin2Seconds<Value>(promise: Promise<Value>): Promise<Value> {
  const late = once(AbortSignal.timeout(2_000), 'abort').then(() => {
    throw new Error('This took more than 2 seconds.');
  });
  return Promise.race([promise, late]);
}
