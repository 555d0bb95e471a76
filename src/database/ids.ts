/*
 * Ids are UUIDv7 (RFC 9562, section 5.7), made by the application: their first 48 bits are the millisecond of creation,
 * so that their order is the order of creation and no row needs a column for it.
 */

/** The instant in an id. */
export function createdAtOf(id: string): Date {
  return new Date(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16));
}

/** The smallest id of a millisecond; instants that no UUIDv7 can carry are taken to its nearest. */
export function firstIdOf(milliseconds: number): string {
  const hex = Math.min(Math.max(milliseconds, 0), 2 ** 48 - 1).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}
