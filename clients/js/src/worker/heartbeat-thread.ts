import { parentPort } from 'node:worker_threads';
import { backoff } from '../limits.ts';

/** What the thread is told: leases to keep, and those that are over; every message says that the other thread is alive. */
export interface ThreadMessage {
  url: string;
  authorization: string;
  /** Milliseconds for which the other thread may be silent, and its leases are kept all the same. */
  blockedAtMost: number;
  leases: { token: string; seconds: number }[];
}

/** What it tells: the token of a lease that is over. */
export interface LostMessage {
  lost: string;
}

const query = 'mutation ($input: ReportProgressInput!) { reportProgress(input: $input) { ... on UserError { code } } }';

let told: ThreadMessage | null = null;
let toldAt = 0;
/** Of each lease: when its next heartbeat is due, and how many in a row have not arrived. */
const due = new Map<string, { at: number; failures: number }>();

parentPort?.on('message', (message: ThreadMessage) => {
  const now = performance.now();
  told = message;
  toldAt = now;
  const tokens = new Set(message.leases.map(({ token }) => token));
  for (const token of due.keys()) if (!tokens.has(token)) due.delete(token);
  // A lease is new when it is told of.
  for (const { token, seconds } of message.leases) if (!due.has(token)) due.set(token, { at: now + third(seconds), failures: 0 });
});

setInterval(() => {
  const now = performance.now();
  if (told === null || now - toldAt > told.blockedAtMost) return;
  for (const { token, seconds } of told.leases) {
    const { at, failures } = due.get(token) ?? { at: Infinity, failures: 0 };
    if (now < at) continue;
    // Also while this one has no answer.
    due.set(token, { at: now + third(seconds), failures });
    void beat(told, token, seconds, failures);
  }
}, 100);

async function beat(message: ThreadMessage, token: string, seconds: number, failures: number): Promise<void> {
  try {
    const { code, retryAfter } = await keep(message, token);
    // It may be over meanwhile.
    if (!due.has(token)) return;
    if (code === 'LEASE_LOST') {
      due.set(token, { at: Infinity, failures: 0 });
      const lost: LostMessage = { lost: token };
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      parentPort?.postMessage(lost);
    } else if (code === 'NOT_HEARD') again(token, seconds, failures, retryAfter);
    else due.set(token, { at: due.get(token)?.at ?? Infinity, failures: 0 });
  } catch {
    again(token, seconds, failures, 0);
  }
}

/** Sooner than a lease's third where that is worth it, and never before the server asks for it. */
function again(token: string, seconds: number, failures: number, retryAfter: number): void {
  const pause = Math.max(retryAfter, Math.min(backoff(failures), third(seconds)));
  if (due.has(token)) due.set(token, { at: performance.now() + pause, failures: failures + 1 });
}

/** Asks once. @returns the code of a refusal; NOT_HEARD where the lease was not renewed and may be, with the milliseconds that the server asks to wait */
async function keep({ url, authorization }: ThreadMessage, token: string): Promise<{ code: string | null; retryAfter: number }> {
  const headers = { authorization, 'content-type': 'application/json' };
  const body = JSON.stringify({ query, variables: { input: { token } } });
  const response = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(10_000) });
  const text = await response.text();
  if (!response.ok) return { code: 'NOT_HEARD', retryAfter: (Number(response.headers.get('retry-after')) || 0) * 1_000 };
  const { data }: { data?: { reportProgress?: { code?: string } | null } | null } = JSON.parse(text);
  // An error in place of a payload, such as INTERNAL, has renewed nothing.
  if (data?.reportProgress == null) return { code: 'NOT_HEARD', retryAfter: 0 };
  return { code: data.reportProgress.code ?? null, retryAfter: 0 };
}

function third(seconds: number): number {
  return (seconds * 1_000) / 3;
}
