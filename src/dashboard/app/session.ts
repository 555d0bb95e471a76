import { signal } from '@preact/signals';
import { query, whenSignedOut } from './api.ts';
import { setting } from './settings.ts';
import { type Scope, ViewerDocument, type ViewerQuery } from '../generated/app.ts';

export type Viewer = ViewerQuery['viewer'];

/** Who uses the page. The key itself is nowhere here: the server made a cookie of it that scripts cannot read. */
export type Session = { state: 'unknown' } | { state: 'signedOut' } | { state: 'signedIn'; viewer: Viewer } | { state: 'failed'; error: Error };

export const session = signal<Session>({ state: 'unknown' });

/** Whether this browser has signed in and not out again. The cookie cannot be seen: without this, the server would be asked in vain. */
const signedInBefore = setting('signedIn', false, (stored) => stored === true);

function end(): void {
  const before = session.value;
  session.value = { state: 'signedOut' };
  signedInBefore.value = false;
  // What was read with one key is not kept for the next.
  if (before.state === 'signedIn') location.reload();
}

whenSignedOut(end);

/** Whether the key has the scope. What it has not is not offered; the server refuses it all the same. */
export function can(scope: Scope): boolean {
  return session.value.state === 'signedIn' && session.value.viewer.scopes.includes(scope);
}

/** Finds out whether the browser has a session. */
export async function findSession(): Promise<void> {
  if (!signedInBefore.value) return end();
  try {
    const { viewer } = await query(ViewerDocument, {});
    session.value = { state: 'signedIn', viewer };
  } catch (error) {
    // Where the server knows no session, that was noticed already.
    if (session.value.state !== 'signedOut') session.value = { state: 'failed', error: error instanceof Error ? error : new Error(String(error)) };
  }
}

/**
 * Asks the server for a session.
 *
 * @param by a key, or the code of the address that the first start prints
 * @returns null, or why not
 */
export async function signIn(by: { key: string } | { code: string }): Promise<string | null> {
  let response: Response;
  try {
    response = await fetch('session', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(by) });
  } catch {
    return 'The server could not be reached. Check that it runs, and try again.';
  }
  if (!response.ok) return refusalOf(response);
  signedInBefore.value = true;
  await findSession();
  return null;
}

export async function signOut(): Promise<void> {
  // Where the server is away the cookie stays, so the page stays signed in, too.
  const { ok } = await fetch('session', { method: 'DELETE' });
  if (ok) end();
}

async function refusalOf(response: Response): Promise<string> {
  try {
    const body: { error: { message: string } } = await response.json();
    return body.error.message;
  } catch {
    // Not this server's own answer.
    return `The server refused this with status ${response.status}. Try again.`;
  }
}
