import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { declareTypes, type ListedType } from '../../clients/js/src/types/declare.ts';
import { CommandLine, commandUser } from '../support/command-line.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';

// Each command is a process, and starting one takes a while on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

test('jobs are listed, shown and filtered, as tables, as JSON and as ids', async () => {
  const { cli, tenant } = await commandUser(longhaul);
  const held = await tenant.running({ tags: ['a', 'b'] });
  await tenant.report(held.token, { percentage: 12.5, step: 'read', message: 'One\ttwo\nthree' });
  await tenant.create({ type: 'comments' });
  const [list, filtered, got, json, lines, ids] = await Promise.all(
    [['jobs'], ['jobs', 'list', '--tag', 'b', '--columns', 'type,progress.step,progress.percentage'], ['jobs', 'get', held.job.id], ['jobs', '--json', '--limit', '1'], ['jobs', '--jsonl', '--oldest-first'], ['jobs', '-q', '--status', 'running']].map((words) => cli.run(words)),
  );
  expect(list?.stdout.split('\n').map((line) => line.split('\t').slice(1, 4))).toEqual([['comments', 'PENDING', ''], ['fingerprint', 'RUNNING', '12% read: One two three'], []]);
  expect(filtered?.stdout).toBe('fingerprint\tread\t12.5\n');
  expect(got?.stdout).toMatch(/^id\tjob_.*\ntype\tfingerprint\nstatus\tRUNNING 12% read: One two three\ninput\t\{"sourceUrl":"https:\/\/example.com\/a.mp4"\}\n/);
  expect(got?.stdout).toContain('\nattempts\t1 of worker: runs\n');
  expect(JSON.parse(json?.stdout ?? '')).toMatchObject([{ type: 'comments' }]);
  expect(lines?.stdout.trimEnd().split('\n').map((line) => JSON.parse(line).type)).toEqual(['fingerprint', 'comments']);
  expect(ids?.stdout).toMatch(/^job_\S+\n$/);
  expect(await cli.run(['jobs', 'get', held.job.id.replace(/.$/, 'x')])).toMatchObject({ code: 1, stdout: '' });
  expect(await cli.run(['jobs', '--columns', 'nonsense'])).toMatchObject({ code: 2, stderr: expect.stringContaining('There are: id') });
});

test('logs are printed, and followed to the end of the job', async () => {
  const { cli, tenant } = await commandUser(longhaul);
  const { job, token } = await tenant.running();
  await tenant.log(token, 'first', { level: 'WARN', message: 'second \u001B]0;title\u0007', fields: { frame: 3 } });
  expect((await cli.run(['jobs', 'logs', job.id, '--level', 'WARN'])).stdout).toMatch(/^\S+Z WARN {2}second \\x1b\]0;title\\x07 \{"frame":3\}\n$/);
  const following = cli.start(['jobs', 'logs', '-f', job.id, '--jsonl']);
  await following.wrote(/"first"/);
  await tenant.log(token, 'last');
  await tenant.complete(token);
  const { code, stdout } = await following.ended;
  expect(code).toBe(0);
  expect(stdout.trimEnd().split('\n').map((line) => JSON.parse(line).message)).toEqual(['first', 'second \u001B]0;title\u0007', 'last']);
});

test('jobs are cancelled, retried and deleted, by ids and by filters, and never all of them unsaid', async () => {
  const { cli, tenant } = await commandUser(longhaul);
  const [one, two, three] = await tenant.createAll([{}, { tags: ['x'] }, { tags: ['x'] }]);
  const ids = [one, two, three].map((job) => job?.id ?? '');
  expect(await cli.run(['jobs', 'cancel'])).toMatchObject({ code: 2, stderr: expect.stringContaining('--all') });
  expect(await cli.run(['jobs', 'cancel', ids[0] ?? '', '--columns', 'nonsense'])).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('There are: id') });
  expect(await tenant.read(ids[0] ?? '')).toMatchObject({ status: 'PENDING' });
  const cancelled = await cli.run(['jobs', 'cancel', ids[0] ?? '', '--reason', 'Wrong film.', '--jsonl']);
  expect(JSON.parse(cancelled.stdout)).toMatchObject({ uuid: ids[0], status: 'CANCELLED', creditsRefunded: 1 });
  expect(await tenant.read(ids[0] ?? '')).toMatchObject({ cancelReason: 'Wrong film.' });
  expect(await cli.run(['jobs', 'cancel', ids[0] ?? ''])).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(ids[0] ?? '') });
  const many = await cli.run(['jobs', 'cancel', '--tag', 'x', '--json']);
  expect(many.code, many.stderr).toBe(0);
  expect(JSON.parse(many.stdout)).toMatchObject({ kind: 'CANCEL', status: 'COMPLETED', seen: 2, done: 2 });
  // What cannot be done to one is told, and keeps nothing from the others.
  const going = await tenant.running();
  const retried = await cli.run(['jobs', 'retry', going.job.id, ids[1] ?? '', '-q']);
  expect(retried).toMatchObject({ code: 1, stdout: expect.stringMatching(/^job_\S+\n$/), stderr: expect.stringContaining(`${going.job.id}: Only FAILED`) });
  expect(await cli.run(['jobs', 'delete', going.job.id])).toMatchObject({ code: 1, stdout: expect.stringContaining('done\t0\n'), stderr: expect.stringContaining('NOT_FINISHED: 1') });
  await tenant.complete(going.token);
  expect(await cli.run(['jobs', 'delete', going.job.id])).toMatchObject({ code: 0 });
  expect(JSON.parse((await cli.run(['jobs', 'delete', ...ids, '--jsonl'])).stdout)).toMatchObject({ kind: 'DELETE', done: 3 });
  expect((await cli.run(['jobs', '-q'])).stdout).toBe(retried.stdout);
});

test('types, schedules, workers, keys, credits and statistics are shown, and types declared as by the package', async () => {
  const { cli, key } = await commandUser(longhaul);
  const { data } = await longhaul.graphql('{ jobTypes { name description inputSchema outputSchema } }', {}, key);
  const declared = declareTypes(data?.['jobTypes'] as unknown as ListedType[], new URL(longhaul.url).host);
  expect((await cli.run(['types', '--typescript'])).stdout).toBe(declared);
  const made = await cli.run(['schedules', 'create', 'nightly', 'comments', '--cron', '0 6 * * *', '--time-zone', 'Europe/Berlin', '-i', 'sourceUrl=https://example.com/a.mp4', '--json']);
  expect(made.code, made.stderr).toBe(0);
  expect(JSON.parse(made.stdout)).toMatchObject({ name: 'nightly', timeZone: 'Europe/Berlin', input: { sourceUrl: 'https://example.com/a.mp4' } });
  expect(await cli.run(['schedules', 'pause', 'nightly', '--columns', 'paused'])).toMatchObject({ code: 0, stdout: 'paused\ttrue\n' });
  const triggered = await cli.run(['schedules', 'trigger', 'nightly', '-q']);
  expect(triggered.stdout).toMatch(/^job_\S+\n$/);
  expect(await cli.run(['schedules', 'delete', 'nightly'])).toMatchObject({ code: 0 });
  expect(await cli.run(['schedules'])).toMatchObject({ code: 0, stdout: '' });
  const [credits, history, stats, workers, keys] = await Promise.all([['credits', '-q'], ['credits', '--history', '--columns', 'kind,amount'], ['stats', '--json', '--since', '-1h'], ['workers'], ['keys']].map((words) => cli.run(words)));
  expect(credits?.stdout).toBe('999999\n');
  expect(history?.stdout).toBe('CHARGE\t-1\nGRANT\t1000000\n');
  expect(JSON.parse(stats?.stdout ?? '').at(-1)).toMatchObject({ created: 1 });
  expect(stats?.stderr).toMatch(/^1 pending/);
  expect(workers).toMatchObject({ code: 0, stdout: '' });
  expect(keys).toMatchObject({ code: 1, stderr: expect.stringContaining('ADMIN') });
  const admin = await CommandLine.with({ LONGHAUL_URL: longhaul.url, LONGHAUL_KEY: longhaul.adminKey });
  const secret = (await admin.run(['keys', 'create', 'ci', '--scope', 'read', '-q'])).stdout.trim();
  expect((await cli.run(['whoami', '--columns', 'scopes'], { env: { LONGHAUL_KEY: secret } })).stdout).toBe('scopes\tREAD\n');
});

test('a reader that leaves ends the command without a word', async () => {
  const { cli, tenant } = await commandUser(longhaul);
  await tenant.createAll(Array.from({ length: 300 }, () => ({ type: 'comments' })));
  const listing = cli.start(['jobs', '--jsonl', '--limit', '300']);
  listing.leave();
  expect(await listing.ended).toMatchObject({ code: 0, stderr: '' });
});
