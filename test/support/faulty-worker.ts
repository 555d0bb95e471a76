/**
 * A small worker for the conformance kit, with the fault that FAULT names; without one it keeps the protocol. LOOPS: so many claim side by
 * side, for one job each, with a pause in place of waiting.
 */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

const { LONGHAUL_URL: url = '', LONGHAUL_API_KEY: key = '', FAULT: fault = '', LOOPS: loops = '0' } = process.env;
const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
const graphql = `${url}/graphql`;
const workerId = `faulty-${process.pid}`;

interface Lease {
  token: string;
  seconds: number;
  checkpoint: unknown;
  files: { reference: string; url: string; bytes: string; sha256: string }[];
  job: { id: string; input: Input };
}

interface Input {
  name: string;
  seconds?: number;
  fail?: string;
  checkpoint?: string;
  retryAfterSeconds?: number;
  sourceUrl?: string;
  save?: boolean;
}

interface Answer {
  code?: string;
  leases?: Lease[];
  upload?: { id: string };
  uploadUrl?: string;
}

const payloads: Record<string, string> = {
  claimJobs: '... on ClaimJobsPayload { leases { token seconds checkpoint files { reference url bytes sha256 } job { id input } } }',
  createUpload: '... on CreateUploadPayload { uploadUrl upload { id } }',
};

const running = new Map<string, AbortController>();
const tokensByJob = new Map<string, string>();
/** Jobs at the same time. */
const most = 2;
const state = { draining: false, working: 0 };

/** Asks until there is an answer. */
async function ask(field: string, input: Record<string, unknown>): Promise<Answer> {
  const kind = field.charAt(0).toUpperCase() + field.slice(1);
  const query = `mutation ($input: ${kind}Input!) { ${field}(input: $input) { ... on UserError { code } ${payloads[field] ?? '__typename'} } }`;
  for (let tries = 1; ; tries += 1) {
    const response = await fetch(graphql, { method: 'POST', headers, body: JSON.stringify({ query, variables: { input } }) }).catch(() => null);
    const answer: { data?: Record<string, Answer> | null } | null = (await response?.json().catch(() => null)) ?? null;
    const payload = answer?.data?.[field];
    if (payload != null) return payload;
    if (fault === 'gives-up' && field === 'claimJobs') process.exit(1);
    if (fault === 'two-results' && response === null && field === 'completeJob') input = { ...input, output: { ...Object(input['output']), at: Date.now() } };
    const asked = Number(response?.headers.get('retry-after') ?? 0) * 1_000;
    await sleep(fault === 'hammers' ? 30 : Math.max(asked, 50 * 2 ** tries));
  }
}

async function work(lease: Lease): Promise<void> {
  const { job: { id, input: { name, seconds = 0, fail, checkpoint, retryAfterSeconds, sourceUrl, save = false } } } = lease;
  const [other = lease.token] = running.keys();
  const first = tokensByJob.get(id) ?? lease.token;
  tokensByJob.set(id, lease.token);
  const token = fault === 'one-token' ? other : fault === 'old-token' ? first : lease.token;
  const stop = new AbortController();
  const { signal } = stop;
  running.set(lease.token, stop);
  const over = new AbortController();
  if (fault !== 'no-heartbeat') void beat(lease, token, stop, over.signal);
  try {
    const artifacts: object[] = [];
    let sha256: string | null = null;
    if (sourceUrl !== undefined) {
      const content = await read(lease, sourceUrl);
      sha256 = createHash('sha256').update(content).digest('hex');
      if (save) artifacts.push({ uploadId: await send(token, content), name: 'copy' });
    }
    await sleep(seconds * 1_000, undefined, { signal });
    if (fail === 'fatal') return void (await ask('failJob', { token, code: 'REFUSED', message: 'No attempt would help.', retryable: fault === 'always-retryable' }));
    if (checkpoint !== undefined && (lease.checkpoint === null || fault === 'forgets-checkpoint')) {
      await ask('reportProgress', { token, checkpoint });
      return void (await ask('failJob', { token, code: 'HALF_WAY', message: 'Another attempt goes on.', retryAfterSeconds }));
    }
    const named = artifacts.length === 0 || fault === 'unnamed-result' ? {} : { artifacts };
    await ask('completeJob', { token, output: { name, checkpoint: lease.checkpoint, sha256 }, ...named });
  } catch (error) {
    if (state.draining) await ask('releaseJob', { token });
    else if (!signal.aborted) await ask('failJob', { token, code: 'BROKEN', message: String(error) });
    else if (fault === 'completes-after-lost' && signal.reason === 'LEASE_LOST') await ask('completeJob', { token, output: {} });
  } finally {
    over.abort();
    running.delete(lease.token);
  }
}

async function beat({ seconds }: Lease, token: string, stop: AbortController, over: AbortSignal): Promise<void> {
  for (;;) {
    await sleep(seconds * 333, undefined, { signal: over }).catch(() => null);
    if (over.aborted) return;
    const { code } = await ask('reportProgress', { token });
    if (code !== 'LEASE_LOST') continue;
    if (fault !== 'ignores-cancel') stop.abort('LEASE_LOST');
    return;
  }
}

/** Reads a file of the input, from its start where it did not arrive as it was stored. */
async function read({ files }: Lease, reference: string): Promise<Buffer> {
  const file = files.find((one) => one.reference === reference);
  if (file === undefined) throw new Error(`There is no ${reference}.`);
  for (;;) {
    const response = await fetch(file.url, fault === 'key-abroad' ? { headers } : {});
    const content = Buffer.from(await response.arrayBuffer().catch(() => new ArrayBuffer(0)));
    const whole = content.length === Number(file.bytes);
    if (!whole && fault === 'gives-up-file') throw new Error('The file broke off.');
    if (whole && (fault === 'unchecked-file' || createHash('sha256').update(content).digest('hex') === file.sha256)) return content;
    await sleep(100);
  }
}

async function send(token: string, content: Buffer): Promise<string> {
  const { code, upload, uploadUrl = '' } = await ask('createUpload', { token, filename: 'copy.bin', bytes: String(content.length) });
  if (code === 'LEASE_LOST') {
    if (fault !== 'fails-lost-result') running.get(token)?.abort('LEASE_LOST');
    throw new Error('The lease is over.');
  }
  for (;;) {
    const response = await fetch(uploadUrl, { method: 'PUT', body: new Uint8Array(content) }).catch(() => null);
    if (response?.ok === true) return upload?.id ?? '';
    if (fault === 'gives-up-full' && response?.status === 507) throw new Error('There is no room.');
    await sleep(100);
  }
}

/** Hears of leases that are over, by server-sent events. */
async function listen(): Promise<void> {
  const query = 'subscription ($workerId: String!) { leaseLost(workerId: $workerId) { token reason } }';
  const body = JSON.stringify({ query, variables: { workerId } });
  const response = await fetch(graphql, { method: 'POST', headers: { ...headers, accept: 'text/event-stream' }, body });
  for await (const part of response.body ?? []) {
    const token = /"token":"([^"]+)"/.exec(Buffer.from(part).toString())?.[1];
    if (token !== undefined && fault !== 'ignores-event') running.get(token)?.abort('EVENT');
  }
}

process.on('SIGTERM', () => {
  if (fault === 'drops-jobs') process.exit(0);
  state.draining = true;
  for (const stop of running.values()) stop.abort('DRAIN');
});

if (fault === 'wrong-document') await fetch(graphql, { method: 'POST', headers, body: JSON.stringify({ query: '{ noSuchField }' }) });
void listen().catch(() => null);
await Promise.all(Number(loops) > 0 ? Array.from({ length: Number(loops) }, (_, place) => claimWithPauses(place)) : [claimUntilStopped()]);
if (fault === 'claims-on') {
  await sleep(700);
  await claim();
}
while (running.size > 0) await sleep(20);
// What the stream of events would keep alive.
if (fault !== 'stays') process.exit(0);

async function claimUntilStopped(): Promise<void> {
  while (!state.draining) await claim();
}

/** @param place in the row: they begin one after the other */
async function claimWithPauses(place: number): Promise<void> {
  await sleep(place * 150);
  while (!state.draining) {
    const { leases = [] } = await ask('claimJobs', { types: ['conformance'], workerId, limit: 1, waitSeconds: 0 });
    for (const lease of leases) {
      const working = work(lease);
      if (state.draining) running.get(lease.token)?.abort('DRAIN');
      await working;
    }
    if (leases.length === 0) await sleep(fault === 'polls' ? 0 : 600);
  }
}

async function claim(): Promise<void> {
  const { leases = [] } = await ask('claimJobs', { types: ['conformance'], workerId, limit: most - state.working, waitSeconds: fault === 'polls' ? 0 : 5 });
  for (const lease of leases) {
    state.working += 1;
    void work(lease).finally(() => (state.working -= 1));
    if (state.draining) running.get(lease.token)?.abort('DRAIN');
  }
  while (state.working === most && !state.draining) await sleep(20);
}
