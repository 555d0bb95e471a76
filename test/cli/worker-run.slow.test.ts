import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { Job } from '../../src/jobs/model/job.ts';
import { CommandLine, commandUser, type Running } from '../support/command-line.ts';
import type { Tenant } from '../support/domain.ts';
import { eventually } from '../support/eventually.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { ffprobe, hasFfmpeg, usualClip } from '../support/media.ts';
import { globalId } from '../support/steps.ts';
import { watchJob } from '../support/watched-job.ts';

let longhaul: Longhaul;
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-programs-'));
  const source = { type: 'object', required: ['source'], properties: { source: { type: 'string', 'x-source': true } } };
  const types = [{ name: 'bash', credits: 0, leaseSeconds: 5 }, { name: 'transcode', credits: 0, inputSchema: source }];
  await writeFile(join(folder, 'types.json'), JSON.stringify(types));
  longhaul = await startLonghaul({ JOB_TYPES: join(folder, 'types.json') });
});
afterAll(async () => {
  await longhaul.stop();
  await rm(folder, { recursive: true, force: true });
});

/** A worker that runs what the input's `script` has for bash, in base64 so that it is found without reading JSON. */
function startBash(cli: CommandLine, ...options: string[]): Running {
  const decode = `eval "$(sed 's/.*"script":"\\([^"]*\\)".*/\\1/' | base64 -d)"`;
  return cli.start(['worker', 'run', '--type', 'bash', ...options, '--', 'bash', '-c', decode]);
}

function scripted(tenant: Tenant, script: string, maxAttempts = 1): Promise<Job> {
  return tenant.create({ type: 'bash', maxAttempts, input: { script: Buffer.from(script).toString('base64') } });
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test('how a program ends and what it prints decide how its job ends', async () => {
  const { cli, tenant, key } = await commandUser(longhaul);
  startBash(cli, '--concurrency', '4');
  const ended = async (script: string) => {
    const job = await scripted(tenant, script);
    await watchJob(longhaul.url, key, globalId(job)).end();
    const { status, output, error } = await tenant.read(job.id);
    return { status, output, error };
  };
  const [silent, number, large, text, bytes, fatal, passing, killed, sending, flooding] = await Promise.all([
    ended('exit 0'),
    ended('echo 42'),
    ended(`echo '{"id":9007199254740993}'`),
    ended('printf "not\\njson {\\n"'),
    ended('head -c 1000 /dev/urandom; printf "\\0\\377"'),
    ended('echo "no such preset" >&2; exit 3'),
    ended('exit 75'),
    ended('kill -KILL $$'),
    ended('yes ::progress | head -c 20000000'),
    ended('yes flood | head -n 50000 >&2; echo "::progress 101"; sleep 60 & echo null'),
  ]);
  expect(silent).toMatchObject({ status: 'COMPLETED', output: null });
  expect(number).toMatchObject({ status: 'COMPLETED', output: 42 });
  expect(large).toMatchObject({ status: 'FAILED', error: { code: 'INVALID_OUTPUT', message: expect.stringContaining('9007199254740993 is beyond') } });
  expect(text).toMatchObject({ status: 'COMPLETED', output: { text: 'not\njson {' } });
  expect(bytes).toMatchObject({ status: 'FAILED', error: { code: 'INVALID_OUTPUT' } });
  expect(fatal).toMatchObject({ status: 'FAILED', error: { code: 'EXIT_3', message: 'The command exited with 3: no such preset' } });
  expect(passing).toMatchObject({ status: 'FAILED', error: { code: 'EXIT_75' } });
  expect(killed).toMatchObject({ status: 'FAILED', error: { code: 'ENDED_BY_SIGKILL' } });
  expect(sending).toMatchObject({ status: 'FAILED', error: { code: 'OUTPUT_TOO_LARGE' } });
  expect(flooding).toMatchObject({ status: 'COMPLETED', output: { text: '::progress 101\nnull' } });
}, 120_000);

test('a job that is cancelled ends all that its program has started, one that hears no SIGTERM too', async () => {
  const { cli, tenant, key } = await commandUser(longhaul);
  startBash(cli, '--grace', '500ms');
  const job = await scripted(tenant, "trap '' TERM; sleep 600 & echo \"::progress 1 $$-$!\"; wait; wait");
  const { progress } = await watchJob(longhaul.url, key, globalId(job)).until((version) => version.progress?.step != null);
  const pids = (progress?.step ?? '').split('-').map(Number);
  expect(pids.map(isAlive)).toEqual([true, true]);
  await tenant.cancel(job.id);
  await eventually(() => expect(pids.map(isAlive)).toEqual([false, false]));
  // It is free again.
  const next = await scripted(tenant, 'echo 1');
  expect(await watchJob(longhaul.url, key, globalId(next)).end()).toMatchObject({ status: 'COMPLETED' });
});

test('at SIGTERM a worker claims no more, lets what is nearly done end, and hands the rest back', async () => {
  const { cli, tenant, key } = await commandUser(longhaul);
  const worker = startBash(cli, '--concurrency', '2', '--drain', '3s');
  const short = await scripted(tenant, 'echo ::progress 1; sleep 1; echo 1');
  const long = await scripted(tenant, 'echo ::progress 1; exec sleep 600');
  await Promise.all([short, long].map((job) => watchJob(longhaul.url, key, globalId(job)).until(({ progress }) => progress?.percentage === 1)));
  worker.kill('SIGTERM');
  expect(await worker.ended).toMatchObject({ code: 0, stderr: expect.stringMatching(/Stops, with 2 running[^]*was ended by SIGTERM after .*\(DRAIN\)/) });
  expect(await tenant.read(short.id)).toMatchObject({ status: 'COMPLETED', output: 1 });
  expect(await tenant.read(long.id)).toMatchObject({ status: 'PENDING', error: null });
});

test('a worker whose terminal closes leaves no program behind, and hands its job back', async () => {
  const { cli, tenant, key } = await commandUser(longhaul);
  const worker = startBash(cli, '--drain', '0s');
  const job = await scripted(tenant, 'sleep 600 & echo "::progress 1 $$-$!"; wait');
  const { progress } = await watchJob(longhaul.url, key, globalId(job)).until((version) => version.progress?.step != null);
  const pids = (progress?.step ?? '').split('-').map(Number);
  expect(pids.map(isAlive)).toEqual([true, true]);
  worker.kill('SIGHUP');
  expect(await worker.ended).toMatchObject({ code: 129 });
  await eventually(() => expect(pids.map(isAlive)).toEqual([false, false]));
  expect(await tenant.read(job.id)).toMatchObject({ status: 'PENDING' });
});

test('a checkpoint is saved whole from either stream, and where JSON is asked for nothing is none', async () => {
  const { cli, tenant, key } = await commandUser(longhaul);
  startBash(cli, '--stdout', 'json');
  const script = `
    if [ -n "$LONGHAUL_CHECKPOINT" ]; then echo \${#LONGHAUL_CHECKPOINT}; exit; fi
    printf '::checkpoint "%020000d"\\n' 0 >&2
    printf '%020000d\\n' 0 >&2
    echo '::retry-after 0' >&2
    exit 75`;
  const job = await scripted(tenant, script, 2);
  await watchJob(longhaul.url, key, globalId(job)).end();
  expect(await tenant.read(job.id)).toMatchObject({ status: 'COMPLETED', output: 20_002 });
  expect((await tenant.lines(job.id)).map(({ message }) => message.length)).toEqual([8_192, 8_192, 20_000 - 2 * 8_192]);
  const silent = await scripted(tenant, 'exit 0');
  await watchJob(longhaul.url, key, globalId(silent)).end();
  expect(await tenant.read(silent.id)).toMatchObject({ status: 'FAILED', error: { code: 'INVALID_OUTPUT', message: expect.stringContaining('print null') } });
});

test.runIf(hasFfmpeg())('ffmpeg is a worker: what was uploaded comes back in another form', async () => {
  const { cli, key } = await commandUser(longhaul);
  const clip = join(cli.folder, 'a clip.mp4');
  await writeFile(clip, await usualClip());
  const command = 'ffmpeg -v error -nostdin -i "$LONGHAUL_FILES"/1/* -c:v libvpx -deadline realtime -an "$LONGHAUL_OUTPUT/clip.webm" && echo \'{"made":"webm"}\'';
  cli.start(['worker', 'run', '--type', 'transcode', '--', 'sh', '-c', command]);
  const made = join(cli.folder, 'made.webm');
  const ran = await cli.run(['run', 'transcode', '--file', `source=${clip}`, '-o', made], { env: { LONGHAUL_KEY: key } });
  expect(ran).toMatchObject({ code: 0, stdout: '{\n  "made": "webm"\n}\n' });
  const { format, streams } = await ffprobe(made);
  expect(format.format_name).toContain('webm');
  expect(streams).toMatchObject([{ codec_name: 'vp8', width: 320, height: 180 }]);
}, 120_000);

test('worker run keeps the protocol, all of it', async () => {
  const worker = 'LONGHAUL_KEY=$LONGHAUL_API_KEY exec node src/launch.js worker run --type conformance --concurrency 2 --drain 1s -- clients/conformance/workers/cli-command.sh';
  // What a worker that is killed leaves behind goes with the folder.
  const env = { ...process.env, TMPDIR: folder };
  const judged = await promisify(execFile)(process.execPath, ['clients/conformance/main.ts', '--require', 'all', '--', 'sh', '-c', worker], { env });
  expect(judged.stdout).not.toMatch(/FAIL|not judged|not used/);
}, 240_000);

test("the README's worker in a shell script works as it is pasted", async () => {
  const cli = await CommandLine.with();
  const [, section = ''] = (await readFile('README.md', 'utf8')).split('\n### A worker in a shell script\n');
  const [types = '', work = '', submit = ''] = [...section.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, code = '']) => code);
  const launcher = join(process.cwd(), 'src/launch.js');
  const paste = (code: string, url = '') => {
    const npx = `npx() { shift; ${process.execPath} ${launcher} "$@"; }\n`;
    const child = spawn('bash', ['-c', npx + code.replaceAll('http://localhost:4000', url)], { cwd: cli.folder, env: { PATH: process.env['PATH'], HOME: cli.folder }, detached: true });
    const ended = once(child, 'close');
    onTestFinished(async () => {
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) process.kill(-child.pid, 'SIGKILL');
      await ended;
    });
    return { child, ended };
  };
  await paste(types.replace(/^JOB_TYPES=.*\n/m, '')).ended;
  const own = await startLonghaul({ JOB_TYPES: join(cli.folder, 'types.json') });
  try {
    const { child, ended } = paste(work, own.url);
    child.stdin.end(`${own.adminKey}\n`);
    await eventually(() => readFile(join(cli.folder, '.config/longhaul/contexts.json')));
    const submitted = paste(submit);
    const [code] = await submitted.ended;
    expect({ code, report: await readFile(join(cli.folder, 'report.txt'), 'utf8') }).toEqual({ code: 0, report: expect.stringMatching(/^ *\d+ words\n$/) });
    process.kill(-(child.pid ?? 0), 'SIGTERM');
    await ended;
  } finally {
    await own.stop();
  }
}, 120_000);
