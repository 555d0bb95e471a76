import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { JobProgressDocument } from '../graphql/generated/graphql.ts';
import { type BuiltPage, builtPage } from '../support/built-page.ts';
import { next, transports } from '../support/client.ts';
import { Tenant } from '../support/domain.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { rest } from '../support/rest.ts';
import { openSource } from '../support/source.ts';
import { Visitor } from '../support/visitor.ts';

const prefix = '/tools/longhaul';

/** As nginx does with `location /tools/longhaul/ { proxy_pass http://longhaul/; }`: the server never sees the prefix, and without its slash it leads on. */
const proxy = createServer((request, response) => {
  const path = stripped(request.url);
  if (request.url === prefix) return void response.writeHead(301, { location: `${prefix}/` }).end();
  if (path === null) return void response.writeHead(404).end('not the proxy of this path');
  const { hostname, port } = new URL(longhaul.url);
  const passed = httpRequest({ hostname, port, path, method: request.method, headers: request.headers }, (answer) => {
    answer.pipe(response.writeHead(answer.statusCode ?? 500, answer.headers));
  });
  response.once('close', () => passed.destroy());
  request.pipe(passed);
}).on('upgrade', (request, socket, head) => {
  const { hostname, port } = new URL(longhaul.url);
  const passed = connect(Number(port), hostname);
  passed.write(`GET ${stripped(request.url)} HTTP/1.1\r\n`);
  for (let index = 0; index < request.rawHeaders.length; index += 2) passed.write(`${request.rawHeaders.slice(index, index + 2).join(': ')}\r\n`);
  passed.write('\r\n');
  passed.write(head);
  passed.on('error', () => socket.destroy()).pipe(socket.on('error', () => passed.destroy())).pipe(passed);
});

function stripped(path = ''): string | null {
  return path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : null;
}

let built: BuiltPage;
let longhaul: Longhaul;
let address: string;
let key: string;
let tenant: Tenant;
beforeAll(async () => {
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  const bound = proxy.address();
  address = `http://127.0.0.1:${typeof bound === 'object' ? bound?.port : ''}${prefix}`;
  built = await builtPage();
  longhaul = await startLonghaul({ PUBLIC_URL: address, ROLE: 'all', OUTBOUND_ALLOW: 'localhost' }, { dashboardFolder: built.folder });
  const workspace = await longhaul.workspace();
  key = await workspace.key();
  tenant = Tenant.of(longhaul, workspace.id);
});
afterAll(async () => {
  await longhaul.stop();
  await built.remove();
  proxy.closeAllConnections();
  proxy.close();
});

test.each(['', '/', '/graphql', '/docs', '/docs/'])('a browser that opens %s gets a page whose files are all there', async (path) => {
  const page = await fetch(address + path, { headers: { accept: 'text/html' } });
  expect(page.status).toBe(200);
  const html = await page.text();
  const named = [...html.matchAll(/(?:src|href|data-[a-z]+)="((?!data:)[^"]+)"/g)].map(([, reference = '']) => new URL(reference, page.url).href);
  expect(named.length).toBeGreaterThan(3);
  for (const file of named) {
    expect(file).toContain(`${address}/`);
    expect([file, (await fetch(file)).status]).toEqual([file, 200]);
  }
});

test('who signs in at the page is known where the page is, and nowhere beside it', async () => {
  const browser = new Visitor(address);
  const answer = await browser.signIn({ key });
  // Without a path, a browser takes the folder of /session as it sees it.
  expect([answer.status, answer.headers.getSetCookie()]).toEqual([204, [expect.not.stringMatching(/path|domain/i)]]);
  expect(await browser.ask('{ viewer { scopes } }')).toMatchObject({ status: 200, errors: [] });
  expect((await browser.socket()).refused).toBeNull();
});

test('every address in an answer leads through the proxy', async () => {
  const source = await openSource(4);
  source.sendEach(Buffer.from('film'));
  const made = await rest(`${address}/vydra/api/v1/jobs`, { key, json: { workflow: 'download', input: { sourceUrl: source.url } } });
  const { id, _links: links } = Object(made.body);
  expect(links).toEqual({ self: `${address}/vydra/api/v1/jobs/${id}`, status: `${address}/vydra/api/v1/jobs/${id}` });
  const done = await rest(`${address}/videoconduit/v1/jobs/${id}`, { key, headers: { prefer: 'wait=20' } });
  let body = Object(done.body);
  while (body.status !== 'completed') ({ body } = Object(await rest(`${address}/videoconduit/v1/jobs/${id}`, { key, headers: { prefer: 'wait=20' } })));
  expect(body.download_url).toContain(`${address}/artifacts/`);
  expect(await (await fetch(body.download_url)).text()).toBe('film');
  expect((await rest(links.self, { key })).body).toMatchObject({ id, status: 'completed', output: { videoUrl: body.download_url } });
  const { data } = await longhaul.graphql(`{ job(id: "${id}") { downloadUrl } }`, {}, key);
  expect(data).toEqual({ job: { downloadUrl: body.download_url } });
  expect((await rest(`${address}/docs/openapi.json`)).body).toMatchObject({ servers: [{ url: address }] });
});

test.each(transports)('a job is watched over $over', async ({ watch }) => {
  const job = await tenant.create({ type: 'comments' });
  const events = watch(address, key, JobProgressDocument, { id: job.id });
  onTestFinished(async () => void (await events.return?.()));
  expect((await next(events)).jobProgress).toMatchObject({ status: 'PENDING' });
  await tenant.cancel(job.id);
  expect((await next(events)).jobProgress).toMatchObject({ status: 'CANCELLED' });
});
