import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { hasChromium, openInChromium } from '../support/browser.ts';
import { hasHaproxy, startHaproxy } from '../support/haproxy.ts';
import { isJsonObject, type JsonObject } from '../../src/json.ts';
import { type Installation, prepareInstallation, type ReadyProcess } from '../support/process.ts';
import { hasPython, startPythonWorker } from '../support/python-worker.ts';
import { offsetOf, patch, sha256Of, SlowSender } from '../support/uploads.ts';

const megabyte = 1024 ** 2;

async function ask({ url }: { url: string }, key: string, query: string, input: JsonObject = {}): Promise<JsonObject> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({ query, variables: { input } }),
  });
  const { data, errors }: { data?: JsonObject; errors?: unknown } = JSON.parse(await response.text());
  const [result] = Object.values(data ?? {});
  if (isJsonObject(result)) return result;
  throw new Error(JSON.stringify(errors));
}

async function uploadUrlAt(process: ReadyProcess, { adminKey }: Installation, input: JsonObject): Promise<string> {
  const document = 'mutation ($input: CreateUploadInput!) { createUpload(input: $input) { ... on CreateUploadPayload { uploadUrl } ... on UserError { message } } }';
  const { uploadUrl } = await ask(process, adminKey, document, { filename: 'a.bin', ...input });
  return String(uploadUrl);
}

/** The same URL at another process. */
function at({ url }: ReadyProcess, uploadUrl: string): string {
  const { pathname, search } = new URL(uploadUrl);
  return url + pathname + search;
}

/** Passes connections on, and cuts them. Closed after the test. */
async function openLine(target: string): Promise<{ url: string; cut(): void }> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const onward = connect(Number(new URL(target).port), '127.0.0.1');
    for (const [socket, other] of [[client, onward], [onward, client]] as const) {
      sockets.add(socket);
      socket.on('error', () => {}).on('close', () => other.destroy()).pipe(other);
      socket.once('close', () => sockets.delete(socket));
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  onTestFinished(() => {
    cut();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the line has no port');
  return { url: `http://127.0.0.1:${address.port}`, cut };
}

async function uploadsAt({ url }: { url: string }): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^longhaul_uploads_under_way (\d+)$/m.exec(metrics)?.[1]);
}

test.each([
  ['PATCH', 'SIGKILL'],
  ['PUT', 'SIGKILL'],
  ['PATCH', 'SIGTERM'],
] as const)('an upload by %s whose process ends by %s goes on at another one, from what is on the disk for certain', async (method, signal) => {
  const installation = await prepareInstallation();
  const [first, second] = [await installation.start('api'), await installation.start('api')];
  const content = randomBytes(30 * megabyte);
  const uploadUrl = await uploadUrlAt(first, installation, { bytes: content.length, sha256: sha256Of(content) });
  const sender = new SlowSender(at(first, uploadUrl), { method, length: content.length });
  const received = async () => {
    const [row] = await installation.query<{ received: number }>('SELECT received_bytes::int AS received FROM upload');
    return row?.received ?? 0;
  };
  let sent = 0;
  while ((await received()) === 0 || sent < 5 * megabyte) {
    await sender.send(content.subarray(sent, sent + megabyte / 4));
    sent += megabyte / 4;
    if (sent > 25 * megabyte) throw new Error('Nothing was kept of 25 MB.');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  first.kill(signal);
  await first.ended;
  sender.cut();
  const began = performance.now();
  const url = at(second, uploadUrl);
  const offset = await offsetOf(url);
  // A writer that was killed is believed dead after seconds; one that was told to stop has let go.
  expect(performance.now() - began).toBeLessThan(signal === 'SIGKILL' ? 10_000 : 2_000);
  expect(offset).toBe(await received());
  expect(offset).toBeGreaterThan(0);
  if (signal === 'SIGTERM') expect(offset).toBe(sent);
  expect((await patch(url, offset, content.subarray(offset))).status).toBe(204);
  const [row] = await installation.query<{ sha256: string }>('SELECT sha256 FROM upload');
  expect(row?.sha256).toBe(sha256Of(content));
  // Whoever has the signature can send the file.
  const signature = new URL(uploadUrl).searchParams.get('signature') ?? '';
  expect(signature).not.toBe('');
  for (const each of [first, second]) expect(each.stdout() + each.stderr()).not.toContain(signature);
}, 60_000);

const runs = hasChromium() && hasPython() && hasHaproxy();

test.skipIf(!runs)(
  'a page uploads a file, cut in the middle; a worker in Python without our disk makes 200 MB of it, and the process that receives them is killed',
  async () => {
    const haproxy = await startHaproxy();
    const line = await openLine(haproxy.url);
    const installation = await prepareInstallation({ PUBLIC_URL: line.url });
    const processes = await Promise.all(haproxy.ports.map((port) => installation.start('api', { PORT: String(port) })));
    await haproxy.sees('UP', 0);
    await haproxy.sees('UP', 1);
    const { adminKey, folder } = installation;
    const { token } = await ask(haproxy, adminKey, 'mutation { createAccessToken(input: { tag: "user-1", scopes: [READ, WRITE] }) { ... on CreateAccessTokenPayload { token } } }');
    const worker = startPythonWorker('test/support/recasting_worker.py', { LONGHAUL_URL: haproxy.url, LONGHAUL_API_KEY: adminKey, RESULT_MEGABYTES: '200' });

    const script = await readFile(createRequire(import.meta.url).resolve('tus-js-client/dist/tus.min.js'), 'utf8');
    const html = await readFile(new URL('../support/fixtures/uploading-page.html', import.meta.url), 'utf8');
    const page = await openInChromium(html.replace('/* tus-js-client */', () => script), new URLSearchParams({ url: line.url, token: String(token) }).toString());
    const content = randomBytes(12 * megabyte);
    await writeFile(join(folder, 'holiday.mp4'), content);
    const network = await page.context().newCDPSession(page);
    await network.send('Network.enable');
    await network.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 2 * megabyte });
    await page.setInputFiles('input', join(folder, 'holiday.mp4'));
    await page.waitForFunction('document.querySelector("progress").value > 0.4');
    line.cut();
    const created = await page.locator('output').filter({ hasText: /^created|^failed/ }).textContent({ timeout: 60_000 });
    expect(created).toMatch(/^created job_/);
    // It asked how much there was, and sent the rest alone.
    const requests: string[] = await page.evaluate('window.requests');
    const offsets = requests.flatMap((each) => (each.startsWith('PATCH') ? [Number(each.slice('PATCH '.length))] : []));
    expect(offsets[0]).toBe(0);
    expect(offsets.at(-1)).toBeGreaterThan(0);

    await worker.wrote('sending');
    const receiving = async () => (await Promise.all(processes.map(uploadsAt))).indexOf(1);
    await expect.poll(receiving, { timeout: 30_000, interval: 20 }).toBeGreaterThanOrEqual(0);
    const kept = async () => (await installation.query<{ bytes: number }>('SELECT max(received_bytes)::int AS bytes FROM upload WHERE job_id IS NOT NULL'))[0]?.bytes ?? 0;
    await expect.poll(kept, { timeout: 30_000, interval: 20 }).toBeGreaterThan(0);
    const victim = processes[await receiving()];
    expect(await kept()).toBeLessThan(200 * megabyte);
    victim?.kill('SIGKILL');
    await victim?.ended;
    const alive = processes.find((each) => each !== victim);
    if (alive === undefined) throw new Error('nobody is left');

    const id = created?.slice('created '.length) ?? '';
    const document = `{ job(id: "${id}") { status output uploads { sha256 } artifacts { name mediaType bytes sha256 url } } }`;
    await expect.poll(async () => (await ask(alive, String(token), document))['status'], { timeout: 90_000, interval: 500 }).toBe('COMPLETED');
    // It asked as well.
    expect(worker.output()).toMatch(/going on with result\.bin after [1-9]\d* of/);
    const job = await ask(alive, String(token), document);
    const { output } = job;
    if (!isJsonObject(output)) throw new Error('there is no output');
    expect(output).toMatchObject({ source: sha256Of(content), announced: sha256Of(content) });
    expect(job).toMatchObject({
      uploads: [{ sha256: sha256Of(content) }],
      artifacts: [{ name: 'video', mediaType: 'video/mp4', bytes: 200 * megabyte, sha256: output['made'] }],
    });
    const [, link = ''] = /"url":"([^"]+)"/.exec(JSON.stringify(job)) ?? [];
    const { body } = await fetch(at(alive, link));
    const hash = createHash('sha256');
    for await (const chunk of body ?? []) hash.update(chunk);
    expect(hash.digest('hex')).toBe(output['made']);
  },
  240_000,
);
