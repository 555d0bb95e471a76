import { codeOf } from './command-error.ts';
import { writeAside } from './output/write-aside.ts';

/**
 * A fetch for the server at a URL. It follows no redirect with a key: the key is for the host that it was given for. What comes back then is
 * an answer of GraphQL that says so, for `@longhaul/client` to throw.
 *
 * The client tries for half a minute, or for as long as it watches; that the server is away or takes no more requests, and that it is back,
 * is told once each.
 */
export function guardedFetch(url: string): typeof fetch {
  let trouble: 'away' | 'limited' | null = null;
  return async (input, init) => {
    // Links to files have none, and may lead elsewhere.
    if (!new Headers(init?.headers).has('authorization')) return fetch(input, init);
    try {
      const response = await fetch(input, { ...init, redirect: 'manual' });
      if (response.status === 429) {
        if (trouble !== 'limited') writeAside(`${url} takes no more requests of this key for now. Trying again${whenIn(response)}.`);
        trouble = 'limited';
      } else {
        if (trouble === 'away') writeAside(`${url} answers again.`);
        trouble = null;
      }
      return await withoutRedirect(response);
    } catch (error) {
      // An aborted request says nothing about the server.
      if (error instanceof TypeError && trouble !== 'away') {
        trouble = 'away';
        writeAside(`${url} cannot be reached${reasonOf(error)}. Trying again.`);
      }
      throw error;
    }
  };
}

async function withoutRedirect(response: Response): Promise<Response> {
  const to = response.headers.get('location');
  if (response.status < 300 || response.status >= 400 || to === null) return response;
  await response.body?.cancel();
  const there = URL.parse(to, response.url)?.origin ?? to;
  const message = `The server redirects to ${there}, and its key is not sent there. If that is its address now, run: longhaul login ${there}`;
  return Response.json({ errors: [{ message, extensions: { code: 'REDIRECTED' } }] }, { status: 400 });
}

/** ` in 12s`, where the server says. */
function whenIn({ headers }: Response): string {
  const seconds = Number(headers.get('retry-after'));
  return seconds > 0 ? ` in ${seconds}s` : '';
}

/** ` (ECONNREFUSED)`, where Node says. */
function reasonOf({ cause }: TypeError): string {
  const code = codeOf(cause);
  return code === null ? '' : ` (${code})`;
}
