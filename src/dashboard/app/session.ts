import { idempotencyKey } from '@longhaul/client';
import { signal } from '@preact/signals';
import { query, whenSignedOut } from './api.ts';
import { setting } from './settings.ts';
import { type Scope, ViewerDocument, type ViewerQuery } from '../generated/app.ts';

export type Viewer = ViewerQuery['viewer'];

/** Who uses the page. The key itself is nowhere here: the server made a cookie of it that scripts cannot read. */
type Session = { state: 'unknown' } | { state: 'signedOut' } | { state: 'signedIn'; viewer: Viewer } | { state: 'failed'; error: Error };

export const session = signal<Session>({ state: 'unknown' });

/**
 * Stands for this browser's session in all of its tabs: each sign-in has another mark. Null: nobody has signed in and not out again. The
 * cookie cannot be seen: without a mark, the server would be asked in vain.
 */
const mark = setting<string | null>('session', null, (stored) => (typeof stored === 'string' ? stored : null));

/** That of the session which this tab shows. */
let ownMark = mark.peek();

mark.subscribe((newest) => {
  if (newest === ownMark) return;
  // In another tab somebody signed in, as somebody else perhaps, or out. What was read with one key is not kept for the next.
  ownMark = newest;
  if (session.peek().state === 'signedIn') location.reload();
  else void findSession();
});

function setMark(to: string | null): void {
  ownMark = to;
  mark.value = to;
}

/** For the door that this tab shows next, also after it has been loaded anew. */
const endedNote = 'longhaul:session-ended';

/** The page is about to be loaded anew: what is drawn until then nobody reads. */
let leaving = false;

/** Whether this tab's session ended by itself. Told once. */
export function takeEnded(): boolean {
  if (leaving) return false;
  const ended = sessionStorage.getItem(endedNote) !== null;
  sessionStorage.removeItem(endedNote);
  return ended;
}

function end(): void {
  // What was read with one key is not kept for the next.
  leaving ||= session.value.state === 'signedIn';
  session.value = { state: 'signedOut' };
  setMark(null);
  if (leaving) location.reload();
}

whenSignedOut(() => {
  // Who is at the door already has asked for something else.
  if (session.value.state !== 'signedOut') sessionStorage.setItem(endedNote, '');
  end();
});

/** Whether the key has the scope. What it has not is not offered; the server refuses it all the same. */
export function can(scope: Scope): boolean {
  return session.value.state === 'signedIn' && session.value.viewer.scopes.includes(scope);
}

let searches = 0;

/** Finds out whether the browser has a session. */
export async function findSession(): Promise<void> {
  searches += 1;
  const search = searches;
  if (mark.value === null) return end();
  try {
    const { viewer } = await query(ViewerDocument, {});
    if (search === searches) session.value = { state: 'signedIn', viewer };
  } catch (error) {
    // Where the server knows no session, that was noticed already, and the mark is gone.
    if (search === searches && mark.value !== null) session.value = { state: 'failed', error: error instanceof Error ? error : new Error(String(error)) };
  }
}

/**
 * Asks the server for a session.
 *
 * @param by a key, or the code of the address that the first start prints
 * @returns null, or why not, and what to do
 */
export async function signIn(by: { key: string } | { code: string }): Promise<string | null> {
  let response: Response;
  try {
    response = await fetch('session', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(by) });
  } catch {
    return 'The server could not be reached. Check that it runs, and try again.';
  }
  if (!response.ok) return refusalOf(response);
  setMark(idempotencyKey());
  await findSession();
  return session.peek().state === 'signedOut' ? cookieLost : null;
}

const cookieLost =
  'The server let you in, but the browser has not kept the cookie of the session. Allow cookies for this address; if the server has an https address, open the page by that one. Then sign in again.';

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
