import { z } from 'zod';

/** `2025-01-15T10:00:00Z`: for dialects without fractions. */
export function wholeSeconds(instant: Date): string {
  return `${instant.toISOString().slice(0, -5)}Z`;
}

const iso = z.iso.datetime({ offset: true });

/** An instant that a worker wrote into its result: ISO 8601 with seconds and an offset. Null for anything else. */
export function instantIn(value: unknown): Date | null {
  const { success, data } = iso.safeParse(value);
  if (!success) return null;
  const instant = new Date(data);
  // An offset may lead beyond year 9999, and clients read four digits.
  const year = instant.getUTCFullYear();
  return year >= 0 && year <= 9_999 ? instant : null;
}
