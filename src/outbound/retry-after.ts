/** Milliseconds to wait, as a Retry-After header says (RFC 9110, section 10.2.3); null if it says nothing that can be read. */
export function retryAfterOf(header: string | string[] | undefined): number | null {
  const [text = ''] = [header].flat();
  const wait = /^\d{1,9}$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now();
  return Number.isNaN(wait) ? null : Math.max(wait, 0);
}
