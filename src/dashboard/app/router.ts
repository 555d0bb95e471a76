import { computed, signal } from '@preact/signals';
import { href, type Params } from './href.ts';

export { href } from './href.ts';

/*
 * Addresses are in the fragment: `#/jobs?status=FAILED`, `#/jobs/job_…`. One build then works below any path, no screen clashes with a
 * path of the server, and no filter reaches a server's log.
 */

/** Where the page is. */
interface Route {
  /** The parts of the path: `['jobs', 'job_…']`; empty at the root. */
  path: readonly string[];
  params: URLSearchParams;
}

const fragment = signal(location.hash);

addEventListener('hashchange', () => {
  fragment.value = location.hash;
});

/** Changes with the address. */
export const route = computed<Route>(() => parse(fragment.value));

function parse(hash: string): Route {
  const [path = '', search = ''] = hash.replace(/^#\/?/, '').split(/\?(.*)/s, 2);
  return { path: path.split('/').filter((part) => part !== '').map(decode), params: new URLSearchParams(search) };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Goes there. `replace`: without a step for the back button. */
export function go(path: readonly string[], params: Params = {}, { replace = false }: { replace?: boolean } = {}): void {
  const to = href(path, params);
  if (to === location.hash) return;
  if (replace) history.replaceState(null, '', to);
  else history.pushState(null, '', to);
  fragment.value = to;
}

/**
 * For the end of something slow: who went elsewhere meanwhile is left there. Take it before.
 *
 * @returns goes, as `go` does, if the address is what it was when this was called; false where it is not
 */
export function fromHere(): (...to: Parameters<typeof go>) => boolean {
  const here = location.hash;
  return (...to) => {
    if (location.hash !== here) return false;
    go(...to);
    return true;
  };
}

/** Changes some parameters of the address and keeps the others; null takes one away. */
export function setParams(changes: Params, options: { replace?: boolean } = {}): void {
  const { path, params } = route.value;
  const kept = Object.fromEntries([...new Set(params.keys())].map((name) => [name, params.getAll(name)]));
  go(path, { ...kept, ...changes }, options);
}
