/** Of an address. Several values of one name stand in their order; null, undefined and empty ones are left out. */
export type Params = Readonly<Record<string, string | readonly string[] | null | undefined>>;

/** The address of a screen, for `<a href>`: `href(['jobs', id])`, `href(['jobs'], { status: 'FAILED' })`. */
export function href(path: readonly string[], params: Params = {}): string {
  const search = new URLSearchParams();
  for (const [name, values] of Object.entries(params)) {
    for (const value of [values ?? []].flat()) if (value !== '') search.append(name, value);
  }
  const asked = search.size === 0 ? '' : `?${search.toString()}`;
  return `#/${path.map(encodeURIComponent).join('/')}${asked}`;
}
