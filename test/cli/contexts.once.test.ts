import { once } from 'node:events';
import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { CommandLine } from '../support/command-line.ts';
import { type Longhaul, sharedLonghaul, startLonghaul } from '../support/longhaul.ts';

// Each command is a process, and starting one takes a while on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

test('a key from standard input is kept in a file of its owner alone, used, and forgotten', async () => {
  const cli = await CommandLine.with();
  const key = await (await longhaul.workspace()).key();
  const login = await cli.run(['login', longhaul.url, '--name', 'here'], { stdin: `${key}\n` });
  expect(login).toMatchObject({ code: 0, stdout: '', stderr: expect.stringContaining('workspace test, READ, WRITE, WORK') });
  expect(login.stderr).not.toContain(key);
  const file = `${cli.folder}/config/longhaul/contexts.json`;
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const whoami = await cli.run(['whoami', '--json']);
  expect(JSON.parse(whoami.stdout)).toMatchObject({ url: longhaul.url, context: 'here', workspace: 'test', scopes: ['READ', 'WRITE', 'WORK'] });
  expect((await cli.run(['context'])).stdout).toBe(`*\there\t${longhaul.url}\n`);

  await chmod(file, 0o644);
  expect(await cli.run(['whoami'])).toMatchObject({ code: 1, stderr: expect.stringContaining(`chmod 600 ${file}`) });
  await chmod(file, 0o600);
  expect(await cli.run(['logout'])).toMatchObject({ code: 0 });
  expect(await readFile(file, 'utf8')).not.toContain(key);
  expect(await cli.run(['whoami'])).toMatchObject({ code: 4, stderr: expect.stringContaining('longhaul login') });
});

test('on a terminal the address and the key are asked for, and the key is not shown', async () => {
  const cli = await CommandLine.with();
  const key = await (await longhaul.workspace()).key();
  const login = cli.start(['login'], { onTerminal: true });
  await login.wrote(/URL of the server \[http:\/\/localhost:4000\]: /);
  login.type(`${longhaul.url}\r`);
  await login.wrote(/Key for .*\(not shown\): /);
  login.type(`wrong\u0015${key}x\u007F\r`);
  expect((await login.ended).code).toBe(0);
  expect(login.written().stdout).toContain('Signed in to');
  expect(login.written().stdout).not.toContain(key.slice(0, 12));

  const left = cli.start(['login', longhaul.url], { onTerminal: true });
  await left.wrote(/\(not shown\): /);
  left.type('\u0003');
  expect((await left.ended).code).toBe(130);
});

test('a key that is not taken is not kept', async () => {
  const cli = await CommandLine.with();
  expect(await cli.run(['login', longhaul.url], { stdin: 'lh_wrong\n' })).toMatchObject({ code: 4 });
  expect((await cli.run(['context', 'list', '--json'])).stdout).toBe('[]\n');
  // To sign in would change nothing.
  const set = await cli.run(['whoami'], { env: { LONGHAUL_URL: longhaul.url, LONGHAUL_KEY: 'lh_wrong' } });
  expect(set).toMatchObject({ code: 4, stderr: expect.stringContaining('Set LONGHAUL_KEY to another key, or unset it.') });
});

/** Another server, and what it was sent. */
async function otherServer(location?: string) {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    request.resume();
    response.writeHead(location === undefined ? 200 : 307, location === undefined ? {} : { location: `${location}/graphql` }).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('It does not listen.');
  return { url: `http://127.0.0.1:${address.port}`, requests, close: () => new Promise((closed) => server.close(closed)) };
}

test('a key goes to the host that it was given for and to no other', async () => {
  const cli = await CommandLine.with();
  const key = await (await longhaul.workspace()).key();
  await cli.run(['login', longhaul.url, '--name', 'here'], { stdin: key });
  const other = await otherServer();
  const ways = [
    cli.run(['jobs', '--url', other.url]),
    cli.run(['jobs', '--url', other.url, '--context', 'here']),
    cli.run(['jobs'], { env: { LONGHAUL_URL: other.url } }),
    cli.run(['jobs', '--url', other.url], { env: { LONGHAUL_KEY: key } }),
    cli.run(['jobs', '--url', other.url], { env: { LONGHAUL_URL: longhaul.url, LONGHAUL_KEY: key } }),
  ];
  for (const { code, stderr } of await Promise.all(ways)) {
    expect(stderr).toContain(`longhaul login ${other.url}`);
    expect(code).toBe(4);
  }
  expect(other.requests).toHaveLength(0);
  expect(await cli.run(['jobs', '--url', `${longhaul.url}/`])).toMatchObject({ code: 0 });
  // Nobody has said that it is for the server that one is signed in to.
  expect(await cli.run(['jobs'], { env: { LONGHAUL_KEY: key } })).toMatchObject({ code: 4, stderr: expect.stringContaining('LONGHAUL_KEY without LONGHAUL_URL is for http://localhost:4000') });

  const moved = await otherServer(other.url);
  const redirected = await cli.run(['whoami'], { env: { LONGHAUL_URL: moved.url, LONGHAUL_KEY: key } });
  expect(redirected).toMatchObject({ code: 1, stderr: expect.stringContaining(`longhaul login ${other.url}`) });
  expect(moved.requests).toHaveLength(1);
  expect(other.requests).toHaveLength(0);
});

test('an address without its scheme is one of http, wherever it is given', async () => {
  const cli = await CommandLine.with();
  const key = await (await longhaul.workspace()).key();
  const { host } = new URL(longhaul.url);
  expect(await cli.run(['whoami', '--columns', 'url'], { env: { LONGHAUL_URL: host, LONGHAUL_KEY: key } })).toMatchObject({ code: 0, stdout: `url\thttp://${host}\n` });
  await cli.run(['login', host], { stdin: key });
  expect(await cli.run(['whoami', '--url', host, '--columns', 'url'])).toMatchObject({ code: 0, stdout: `url\thttp://${host}\n` });
});

test('that a server is away is told at once, by its address, while it is tried again', async () => {
  const other = await otherServer();
  const cli = await CommandLine.with({ LONGHAUL_URL: other.url, LONGHAUL_KEY: 'lh_of_nobody' });
  await other.close();
  const asking = cli.start(['whoami']);
  await asking.wrote(/cannot be reached/);
  expect(asking.written()).toEqual({ stdout: '', stderr: `${other.url} cannot be reached (ECONNREFUSED). Trying again.\n` });
});

test('that a key has asked too often is told, while it is waited until it may go on', async () => {
  const limited = await startLonghaul({ RATE_LIMIT: '1' });
  onTestFinished(() => limited.stop());
  const cli = await CommandLine.with({ LONGHAUL_URL: limited.url, LONGHAUL_KEY: await (await limited.workspace()).key() });
  expect(await cli.run(['jobs', '-q'])).toEqual({ code: 0, stdout: '', stderr: '' });
  const asking = cli.start(['jobs', '-q']);
  await asking.wrote(/Trying again/);
  expect(asking.written().stderr).toMatch(/^http\S+ takes no more requests of this key for now\. Trying again in \d+s\.\n$/);
});

test('of several contexts one is in use, another is chosen by its name or its address', async () => {
  const cli = await CommandLine.with();
  const one = await longhaul.workspace();
  const address = longhaul.url.replace('localhost', '127.0.0.1');
  await cli.run(['login', longhaul.url, '--name', 'one'], { stdin: await one.key() });
  await cli.run(['login', address, '--name', 'two'], { stdin: await one.key() });
  const used = async (...options: string[]) => (await cli.run(['whoami', '--columns', 'context', ...options])).stdout;
  expect(await used()).toBe('context\ttwo\n');
  expect(await used('--context', 'one')).toBe('context\tone\n');
  expect(await used('--url', longhaul.url)).toBe('context\tone\n');
  expect(await cli.run(['context', 'use', 'one'])).toMatchObject({ code: 0 });
  expect(await used()).toBe('context\tone\n');
  expect(await cli.run(['context', 'use', 'three'])).toMatchObject({ code: 2 });
  await writeFile(`${cli.folder}/config/longhaul/contexts.json`, 'nonsense');
  expect(await cli.run(['whoami'])).toMatchObject({ code: 1, stderr: expect.stringContaining('longhaul login') });
});
