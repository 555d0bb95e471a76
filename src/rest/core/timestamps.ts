/** `2025-01-15T10:00:00Z`: for dialects without fractions. */
export function wholeSeconds(instant: Date): string {
  return `${instant.toISOString().slice(0, -5)}Z`;
}
