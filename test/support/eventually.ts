import { vi } from 'vitest';

/** Waits until `look` no longer throws. The timeout is long, because other tests may keep the machine busy: Vitest's own is a second. */
export function eventually<T>(look: () => T | Promise<T>, timeout = 20_000): Promise<T> {
  return vi.waitFor(look, { timeout, interval: 20 });
}
