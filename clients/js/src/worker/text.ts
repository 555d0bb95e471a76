/** Text that the server takes: whole characters, without NUL, no more than so many. */
export function fit(text: unknown, most = Infinity): string {
  return String(text).replaceAll('\0', '').slice(0, most).toWellFormed();
}
