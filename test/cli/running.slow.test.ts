import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { lstat, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { type CommandLine, commandUser, type Running } from '../support/command-line.ts';
import type { HeldJob, Tenant } from '../support/domain.ts';
import { eventually } from '../support/eventually.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';
import { globalId } from '../support/steps.ts';
import { storedFile } from '../support/stored-file.ts';

// Each command is a process, and starting one takes a while on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

const usual = ['comments', '-i', 'sourceUrl=https://example.com/a.mp4'];

/** Takes the job that a command creates. */
async function taken(tenant: Tenant): Promise<HeldJob> {
  return eventually(async () => {
    const [held] = await tenant.claim({ types: ['comments'], waitSeconds: 5 });
    if (held === undefined) throw new Error('No job came.');
    return held;
  }, 60_000);
}

/** Runs a job to where its worker has it. */
async function running(cli: CommandLine, tenant: Tenant, options: readonly string[] = [], onTerminal = false): Promise<{ command: Running; held: HeldJob }> {
  const command = cli.start(['run', ...usual, ...options], { onTerminal });
  return { command, held: await taken(tenant) };
}

test('on pipes the output is on standard output, a line for each change on standard error, and no cursor codes anywhere', async () => {
  const { cli, tenant } = await commandUser(longhaul);
  const { command, held } = await running(cli, tenant, ['--tag', 'a', '--priority', '5', '--reference', 'mine']);
  expect(held.job).toMatchObject({ tags: ['a'], priority: 5, clientReference: 'mine' });
  await command.wrote(/RUNNING\n/);
  await tenant.report(held.token, { percentage: 41, step: 'read', message: 'Reading \u001B[31mall' });
  await command.wrote(/41%/);
  await tenant.complete(held.token, { lines: 3 });
  const { code, stdout, stderr } = await command.ended;
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual({ lines: 3 });
  const lines = stderr.trimEnd().split('\n').filter((line) => line.startsWith('job_'));
  expect(lines.map((line) => line.split(' ').slice(1).join(' ')).filter((line) => !line.includes('PENDING'))).toEqual([
    'comments RUNNING', String.raw`comments RUNNING 41% read: Reading \x1b[31mall`, 'comments COMPLETED',
  ]);
  expect(stdout + stderr).not.toContain('\u001B');
});

test('on a terminal a bar is drawn again and again, with the percentage, the step, the message and the time left; NO_COLOR takes the colours', async () => {
  const { cli, tenant } = await commandUser(longhaul);
  const { command, held } = await running(cli, tenant, [], true);
  await eventually(async () => {
    const { startedAt } = await tenant.read(held.job.id);
    expect(Date.now() - (startedAt?.getTime() ?? Infinity)).toBeGreaterThan(1_100);
  });
  await tenant.report(held.token, { percentage: 50, step: 'render', message: 'Drawing' });
  await command.wrote(/\r.\[2Kcomments .\[36m█{12}░{12}.\[39m {2}50% {2}render: Drawing {2}\ds left/);
  await tenant.complete(held.token, null);
  const { code, stdout } = await command.ended;
  expect(code).toBe(0);
  expect(stdout).toMatch(/█{24}.\[39m COMPLETED.\[\?7h\r\nnull\r\n$/);

  const plain = cli.start(['watch', held.job.id], { onTerminal: true, env: { NO_COLOR: '1' } });
  expect((await plain.ended).code).toBe(0);
  expect(plain.written().stdout).toMatch(/.\[2Kcomments █{24} COMPLETED.\[\?7h\r\nID /);
  expect(plain.written().stdout).not.toContain('\u001B[3');
});

test('a message that is wider than the terminal is cut between two of its characters, the terminal breaks no line, and no bar is drawn over the lines of --jsonl', async () => {
  const { cli, tenant } = await commandUser(longhaul);
  const { command, held } = await running(cli, tenant, [], true);
  const wide = '映画'.repeat(60);
  await eventually(async () => {
    const { startedAt } = await tenant.read(held.job.id);
    expect(Date.now() - (startedAt?.getTime() ?? Infinity)).toBeGreaterThan(1_100);
  });
  await tenant.report(held.token, { percentage: 50, message: wide });
  // Of 100 columns 40 are taken before the message, and 9 by the time left: 51 are for 25 ideographs and the mark.
  await command.wrote(new RegExp(String.raw`\u001B\[\?7l\r\u001B\[2Kcomments [^\n]* 50% {2}(映画){12}映… {2}\ds left\u001B\[\?7h`));
  const lines = cli.start(['watch', held.job.id, '--jsonl', '--columns', 'status'], { onTerminal: true });
  await lines.wrote(/RUNNING/);
  await tenant.complete(held.token, null);
  expect(await command.ended).toMatchObject({ code: 0 });
  expect(await lines.ended).toMatchObject({ code: 0, stdout: '{"status":"RUNNING"}\r\n{"status":"COMPLETED"}\r\n' });
});

test('how it ends is what it exits with', async () => {
  const { cli, tenant } = await commandUser(longhaul);
  const failed = await running(cli, tenant);
  await tenant.fail(failed.held.token, { code: 'NO_SOUND', message: 'It is silent.', retryable: false });
  expect(await failed.command.ended).toMatchObject({ code: 3, stdout: '', stderr: expect.stringContaining('FAILED NO_SOUND: It is silent.') });

  const cancelled = await running(cli, tenant, ['-q']);
  await tenant.cancel(cancelled.held.job.id, 'Not needed.');
  expect(await cancelled.command.ended).toMatchObject({ code: 5, stdout: '', stderr: `${(await cli.run(['jobs', '-q', '--limit', '1'])).stdout.trim()} CANCELLED Not needed.\n` });

  const late = await running(cli, tenant, ['--timeout', '1s']);
  const { code, stderr } = await late.command.ended;
  expect(code).toBe(8);
  const [, again = ''] = /Watch on: longhaul watch (job_\S+)\n$/.exec(stderr) ?? [];
  await tenant.complete(late.held.token);
  expect(await cli.run(['watch', again, '--json', '--columns', 'status'])).toMatchObject({ code: 0, stdout: '[\n  {\n    "status": "COMPLETED"\n  }\n]\n' });
  // Of several the worst counts.
  const both = [failed, cancelled].map(({ held }) => held.job.id);
  expect(await cli.run(['watch', again, ...both])).toMatchObject({ code: 3 });

  // One that is not there ends the watch of the others, too.
  const going = await tenant.create({ type: 'comments' });
  const nobody = globalId({ ...going, id: going.id.replace(/.$/, (last) => (last === '0' ? '1' : '0')) });
  expect(await cli.run(['watch', globalId(going), nobody])).toMatchObject({ code: 1, stderr: expect.stringContaining(`There is no job ${nobody}`) });

  expect(await cli.run(['run', 'no-such-type'])).toMatchObject({ code: 1, stderr: expect.stringContaining('no-such-type') });
  expect(await cli.run(['run', ...usual, '--no-such-option'])).toMatchObject({ code: 2 });
  expect(await cli.run(['run', 'comments', '-i', 'nonsense'])).toMatchObject({ code: 2, stderr: expect.stringContaining('key=text') });
});

test('an interruption leaves the job and says how to go on, or cancels it where that is asked for', async () => {
  const { cli, tenant } = await commandUser(longhaul);
  const left = await running(cli, tenant, [], true);
  await left.command.wrote(/\?%/);
  left.command.type('\u0003');
  expect((await left.command.ended).code).toBe(130);
  expect(left.command.written().stdout).toMatch(/The job job_\S+ goes on\. Watch on: longhaul watch job_\S+\r\n$/);
  expect(await tenant.read(left.held.job.id)).toMatchObject({ status: 'RUNNING' });

  const ended = await running(cli, tenant, ['--cancel-on-interrupt']);
  await ended.command.wrote(/RUNNING/);
  ended.command.kill('SIGINT');
  expect(await ended.command.ended).toMatchObject({ code: 130, stderr: expect.stringMatching(/Cancelled job_\S+\.\n$/) });
  expect(await tenant.read(ended.held.job.id)).toMatchObject({ status: 'CANCELLED', cancelReason: 'Interrupted at the terminal.' });
});

/** Stands before the server, and holds back the answer to whatever comes until it is let go. */
async function heldUp() {
  const arrived = Promise.withResolvers<void>();
  const letGo = Promise.withResolvers<void>();
  const server = createServer((request, response) => {
    const passOn = async () => {
      const body = await text(request);
      arrived.resolve();
      await letGo.promise;
      const { authorization = '' } = request.headers;
      const answer = await fetch(`${longhaul.url}${request.url}`, { method: 'POST', body, headers: { authorization, 'content-type': 'application/json' } });
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
    };
    passOn().catch(() => response.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('It does not listen.');
  return { url: `http://127.0.0.1:${address.port}`, arrived: arrived.promise, letGo: letGo.resolve };
}

test('an interruption while the job is being created ends the command at once, or cancels the job as soon as it is known', async () => {
  const { cli, tenant } = await commandUser(longhaul);
  const silent = await heldUp();
  const left = cli.start(['run', ...usual], { env: { LONGHAUL_URL: silent.url } });
  await silent.arrived;
  left.kill('SIGINT');
  expect(await left.ended).toMatchObject({ code: 130, stderr: expect.stringContaining('it may be there') });
  silent.letGo();

  const slow = await heldUp();
  const cancelling = cli.start(['run', ...usual, '--tag', 'late', '--cancel-on-interrupt'], { env: { LONGHAUL_URL: slow.url } });
  await slow.arrived;
  cancelling.kill('SIGTERM');
  slow.letGo();
  expect(await cancelling.ended).toMatchObject({ code: 143, stderr: expect.stringMatching(/Cancelled job_\S+\.\n$/) });
  expect(await tenant.count(`FROM job WHERE workspace_id = $1 AND status = 'CANCELLED'`)).toBe(1);
});

test('an input is made of parts, the same key makes the same job, and what is read wrongly is refused', async () => {
  const { cli, tenant } = await commandUser(longhaul);
  await writeFile(`${cli.folder}/input.json`, JSON.stringify({ sourceUrl: 'https://example.com/file.mp4', deep: { kept: 1 } }));
  const parts = ['-i', `@${cli.folder}/input.json`, '-i', '-', '-i', 'deep.more=a=b', '-i', 'deep.list:=[1,"x",9007199254740991]'];
  const asked = ['create', 'comments', ...parts, '--idempotency-key', 'once', '--at', '2100-01-01T00:00:00Z', '--json'];
  const created = await cli.run(asked, { stdin: '{"sourceUrl": "https://example.com/stdin.mp4"}' });
  expect(created).toMatchObject({ code: 0, stderr: expect.stringContaining('Note: ') });
  const { id, uuid } = JSON.parse(created.stdout);
  const { input, runAt } = await tenant.read(uuid);
  expect(JSON.parse(JSON.stringify(input))).toEqual(JSON.parse('{"sourceUrl":"https://example.com/stdin.mp4","deep":{"kept":1,"more":"a=b","list":[1,"x",9007199254740991]}}'));
  expect(runAt?.toISOString()).toBe('2100-01-01T00:00:00.000Z');
  const again = await cli.run(asked, { stdin: '{"sourceUrl": "https://example.com/stdin.mp4"}' });
  expect(JSON.parse(again.stdout)).toMatchObject({ id });
  const large = await cli.run(['create', 'comments', '-i', 'n:=9007199254740993']);
  expect(large).toMatchObject({ code: 2, stderr: expect.stringContaining('9007199254740993 is beyond') });
});

test('jobs of a tag are watched until none goes on, those that come meanwhile included; with --jsonl each change is a line', async () => {
  const { cli, tenant } = await commandUser(longhaul);
  const first = await tenant.running({ type: 'comments', tags: ['night'] });
  const watching = cli.start(['watch', '--tag', 'night', '--jsonl'], {});
  await watching.wrote(/"RUNNING"/);
  await watching.wrote(/RUNNING/);
  const second = await tenant.create({ type: 'comments', tags: ['night'] });
  await watching.wrote(/"PENDING"/);
  await tenant.complete(first.token);
  await tenant.cancel(second.id);
  const { code, stdout } = await watching.ended;
  expect(code).toBe(5);
  const seen = stdout.trimEnd().split('\n').map((line) => JSON.parse(line)).map(({ uuid, status }) => `${uuid} ${status}`);
  expect(seen).toContain(`${first.job.id} COMPLETED`);
  expect(seen.at(-1)).toBe(`${second.id} CANCELLED`);
  expect(await cli.run(['watch', '--tag', 'night'])).toMatchObject({ code: 0, stdout: '', stderr: expect.stringContaining('goes on') });
});

test('a file is uploaded into the input, and the result file downloaded, whole', async () => {
  const { cli, tenant, key } = await commandUser(longhaul);
  const clip = `${cli.folder}/clip.mp4`;
  await writeFile(clip, Buffer.alloc(3_000_000, 'film'));
  const command = cli.start(['run', 'comments', '--file', `sourceUrl=${clip}`, '-o', `${cli.folder}/out.json`]);
  const held = await taken(tenant);
  const { data } = await longhaul.graphql('query ($id: ID!) { job(id: $id) { uploads { filename mediaType bytes sha256 } } }', { id: held.job.id }, key);
  expect(data).toEqual({ job: { uploads: [{ filename: 'clip.mp4', mediaType: 'video/mp4', bytes: 3_000_000, sha256: createHash('sha256').update(await readFile(clip)).digest('hex') }] } });
  await tenant.complete(held.token);
  expect(await command.ended).toMatchObject({ code: 1, stderr: expect.stringContaining('has no file') });
  expect(await cli.run(['run', 'comments', '--file', 'sourceUrl=nowhere.mp4'])).toMatchObject({ code: 2, stderr: expect.stringContaining('nowhere.mp4') });
});

test('a result is written through what is no file itself, such as a link, and leaves it what it is', async () => {
  const { cli, tenant } = await commandUser(longhaul);
  const { job, token } = await tenant.running();
  await tenant.complete(token, null, [await storedFile(longhaul, tenant.id, { content: 'what was made' })]);
  const [made, link] = [`${cli.folder}/made.txt`, `${cli.folder}/link`];
  await symlink(made, link);
  expect(await cli.run(['watch', job.id, '-o', link])).toMatchObject({ code: 0 });
  expect(await readFile(made, 'utf8')).toBe('what was made');
  expect((await lstat(link)).isSymbolicLink()).toBe(true);
});
