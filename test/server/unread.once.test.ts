import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { RawHttp } from '../support/raw-http.ts';
import { submit } from '../support/steps.ts';

let longhaul: Longhaul;
let key: string;
let workspaceId: string;
beforeAll(async () => {
  longhaul = await startLonghaul({ STALLED_SECONDS: '3' });
  const workspace = await longhaul.workspace();
  key = await workspace.key();
  workspaceId = workspace.id;
});
afterAll(() => longhaul.stop());

const megabyte = 1024 * 1024;
const paths = ['/graphql', '/vydra/api/v1/jobs', '/videoconduit/v1/download'];

function headOf(path: string, secret: string, more: Record<string, string>): string {
  const headers = { host: 'localhost', authorization: `Bearer ${secret}`, 'content-type': 'application/json', ...more };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [`POST ${path} HTTP/1.1`, ...lines, '', ''].join('\r\n');
}

test.each(paths)('%s refuses a wrong key before the body has come, and the connection goes on', async (path) => {
  const raw = await RawHttp.open(longhaul.url);
  const refused = await raw.ask(headOf(path, 'lh_guess', { 'content-length': String(megabyte) }));
  expect(refused.status).toBe(401);
  await raw.write(' '.repeat(megabyte));
  const body = '{"query":"{ __typename }"}';
  const next = await raw.ask(headOf('/graphql', key, { 'content-length': String(body.length) }) + body);
  expect([next.status, next.body]).toEqual([200, '{"data":{"__typename":"Query"}}']);
});

test.each(paths)('%s asks for a body that waits to be asked for only if the key is good', async (path) => {
  const expecting = { expect: '100-continue', 'content-length': String(2) };
  const raw = await RawHttp.open(longhaul.url);
  const refused = await raw.ask(headOf(path, 'lh_guess', expecting));
  expect([refused.status, refused.headers['connection']]).toEqual([401, 'close']);

  const good = await RawHttp.open(longhaul.url);
  expect((await good.ask(headOf(path, key, expecting))).status).toBe(100);
  expect((await good.ask('{}')).status).toBeGreaterThanOrEqual(200);
});

test('a client that does not read its answer is cut off, and one that does gets it all', async () => {
  const large = await submit(longhaul, workspaceId, {
    type: 'tool',
    input: { sourceUrl: 'https://example.com/video.mp4', padding: Array.from({ length: 12 }, () => 'x'.repeat(19_000)) },
  });
  const aliases = Array.from({ length: 48 }, (_, index) => `i${index}: input`).join(' ');
  const body = JSON.stringify({ query: `{ job(id: "${large.id}") { ${aliases} } }` });
  const request = headOf('/graphql', key, { 'content-length': String(body.length), connection: 'close' }) + body;
  const ask = async (): Promise<Socket> => {
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(longhaul.url).port) });
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    socket.on('error', () => undefined).write(request);
    return socket;
  };
  const reading = await ask();
  let bytes = 0;
  reading.on('data', (part: Buffer) => (bytes += part.length));
  await once(reading, 'close');
  expect(bytes).toBeGreaterThan(10 * megabyte);
  const deaf = await ask();
  await expect.poll(() => stateOf(deaf), { timeout: 25_000 }).not.toBe('established');
}, 60_000);

function hex(port: number | undefined): string {
  return (port ?? 0).toString(16).toUpperCase().padStart(4, '0');
}

/** The state of the server's end of a connection on this machine, as the kernel has it. */
async function stateOf({ localPort, remotePort }: Socket): Promise<'established' | 'over'> {
  const table = (await readFile('/proc/net/tcp', 'utf8')) + (await readFile('/proc/net/tcp6', 'utf8').catch(() => ''));
  return new RegExp(`:${hex(remotePort)} \\w+:${hex(localPort)} 01 `).test(table) ? 'established' : 'over';
}
