/**
 * Fetches, but follows no redirect with a key: the key is for the host that it was given for. What comes back then is an answer of
 * GraphQL that says so, for `@longhaul/client` to throw. Links to files carry no key, and are followed.
 */
export const guardedFetch: typeof fetch = async (input, init) => {
  const withKey = new Headers(init?.headers).has('authorization');
  if (!withKey) return fetch(input, init);
  const response = await fetch(input, { ...init, redirect: 'manual' });
  const to = response.headers.get('location');
  if (response.status < 300 || response.status >= 400 || to === null) return response;
  await response.body?.cancel();
  const there = URL.parse(to, response.url)?.origin ?? to;
  const message = `The server redirects to ${there}, and its key is not sent there. If that is its address now, run: longhaul login ${there}`;
  return Response.json({ errors: [{ message, extensions: { code: 'REDIRECTED' } }] }, { status: 400 });
};
