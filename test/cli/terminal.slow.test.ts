import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { commandUser } from '../support/command-line.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';
import { globalId } from '../support/steps.ts';

// Each command is a process, and starting one takes a while on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

const env = { NO_COLOR: '1' };
const family = '👩‍👩‍👧';
const accented = 'e\u0301';

test('the columns of a table stand below each other, however wide its characters are, and on a terminal without a size, too', async () => {
  const { cli, tenant } = await commandUser(longhaul);
  await tenant.createAll([['映画', '予告編'], [`${family}🎬`], [`caf${accented}`], ['plain']].map((tags) => ({ tags })));
  const words = ['jobs', '--oldest-first', '--columns', 'tags,type,status'];
  const table = [
    'TAGS          TYPE         STATUS',
    '映画, 予告編  fingerprint  PENDING',
    `${family}🎬          fingerprint  PENDING`,
    `caf${accented}          fingerprint  PENDING`,
    'plain         fingerprint  PENDING',
    '',
  ];
  const [usual, sizeless] = await Promise.all([{ columns: 100 }, { rows: 0, columns: 0 }].map((onTerminal) => cli.run(words, { onTerminal, env })));
  expect(usual?.stdout.split('\r\n')).toEqual(table);
  expect(sizeless?.stdout.split('\r\n')).toEqual(table);
});

test('a line of a table that is wider than the terminal is cut between two characters', async () => {
  const { cli, tenant } = await commandUser(longhaul);
  for (const character of ['映', family, accented]) await tenant.report((await tenant.running()).token, { message: character.repeat(100) });
  const { stdout } = await cli.run(['jobs', '--oldest-first', '--columns', 'status,progress.message'], { onTerminal: { columns: 30 }, env });
  // Nine columns are taken before the message: 21 are left.
  expect(stdout.split('\r\n')).toEqual(['STATUS   PROGRESS.MESSAGE', `RUNNING  ${'映'.repeat(10)}`, `RUNNING  ${family.repeat(10)}`, `RUNNING  ${accented.repeat(21)}`, '']);
});

test('of the name of a file that is uploaded as much is shown as leaves room for the bar', async () => {
  const { cli } = await commandUser(longhaul);
  const clip = `${cli.folder}/${'映画'.repeat(15)}.mp4`;
  await writeFile(clip, 'film');
  const { stdout } = await cli.run(['create', 'comments', '--file', `sourceUrl=${clip}`], { onTerminal: { columns: 80 }, env });
  // Of 80 columns 42 are for the rest, and 10 for the word: 28 are for 13 ideographs and the mark.
  expect(stdout).toMatch(/.\[2KUploading (映画){6}映… █{24} 100% {2}4 B of 4 B.\[\?7h/);
});

/** What was drawn each time, and by how many lines the cursor had gone up before. */
function framesIn(output: string): { up: number; lines: string[] }[] {
  return [...output.matchAll(/\[\?7l\r(?:.\[(\d+)A)?([^]*?).\[\?7h/g)].map(([, up = '0', text = '']) => ({ up: Number(up), lines: text.split('\r\n') }));
}

test('of more jobs than the terminal has rows those that run are shown, and the rest counted: no line is drawn that the cursor cannot go back to', async () => {
  const { cli, tenant } = await commandUser(longhaul);
  const rows = 8;
  const jobs = await tenant.createAll(Array.from({ length: 12 }, () => ({ tags: ['many'] })));
  const [one, two, gone, ...others] = jobs.toReversed();
  if (one === undefined || two === undefined || gone === undefined) throw new Error('None was created.');
  const held = [await tenant.start(one), await tenant.start(two)];
  const watching = cli.start(['watch', '--tag', 'many'], { onTerminal: { rows }, env });
  await watching.wrote(/and 7 more: 2 of 12 run, 0 have ended/);
  // Of what comes before it listens, changes of status are sent again, and progress is not.
  await tenant.cancel(gone.id);
  await watching.wrote(/and 7 more: 2 of 12 run, 1 have ended/);
  for (const { token } of held) await tenant.report(token, { percentage: 50, message: '映画'.repeat(60) });
  await watching.wrote(/50% {2}映画/);
  for (const { token } of held) await tenant.complete(token);
  await watching.wrote(/and 7 more: 0 of 12 run, 3 have ended/);
  for (const job of others) await tenant.cancel(job.id);
  const { code, stdout } = await watching.ended;
  expect(code).toBe(5);
  const frames = framesIn(stdout);
  const full = frames.filter(({ lines }) => lines.some((line) => line.includes('2 of 12 run')));
  expect(full.length).toBeGreaterThan(0);
  for (const { lines } of full) {
    expect(lines).toHaveLength(rows - 2);
    for (const id of [one.id, two.id]) expect(lines.slice(0, 2).join()).toContain(`…${id.slice(-6)} `);
  }
  for (const [index, { up, lines }] of frames.entries()) {
    expect(lines.length).toBeLessThan(rows);
    expect(up).toBe((frames[index - 1]?.lines.length ?? 1) - 1);
  }
  expect(frames.at(-1)?.lines.at(-1)).toContain('and 7 more: 0 of 12 run, 12 have ended');
  // And all of them are in the table.
  expect(stdout.match(/^job_\S+ {2}fingerprint/gm)).toHaveLength(12);
});

test('bars begin in one column however long the types are, and leave room for the rest where the terminal is narrow', async () => {
  const { cli, tenant } = await commandUser(longhaul);
  await tenant.create({ type: 'renovation-timelapse', tags: ['both'], runAt: new Date('2100-01-01') });
  const { token } = await tenant.running({ tags: ['both'] });
  await tenant.report(token, { percentage: 50, message: 'half' });
  const drawn = async (columns: number) => {
    const watching = cli.start(['watch', '--tag', 'both'], { onTerminal: { columns }, env });
    await watching.wrote(/50%/);
    watching.type('\u0003');
    const { stdout } = await watching.ended;
    return framesIn(stdout).at(-1)?.lines.map((line) => line.replaceAll('\u001B[2K', ''));
  };
  expect(await drawn(100)).toEqual([
    expect.stringMatching(/^renovation-timelapse ….{6} ░{24} PENDING due at 2100-/),
    expect.stringMatching(/^fingerprint ….{6}          █{12}░{12}  50%  half/),
  ]);
  expect(await drawn(40)).toEqual([expect.stringMatching(/^reno… ….{6} ░{10} PENDING due at…/), expect.stringMatching(/^fing… ….{6} █{5}░{5}  50%  half/)]);
});

test('--timeout is one deadline for all jobs that are watched: what has ended by then has, and how to watch on is said once', async () => {
  const { cli, tenant } = await commandUser(longhaul);
  const [ended, ...going] = await Promise.all([tenant.running(), tenant.running(), tenant.running()]);
  await tenant.complete(ended.token);
  const ids = [ended, ...going].map(({ job }) => globalId(job));
  const { code, stdout, stderr } = await cli.run(['watch', ...ids, '--timeout', '5s']);
  expect(stderr.split('\n').filter((line) => line.includes('Watch on'))).toEqual([`2 jobs go on, after 5s. Watch on: longhaul watch ${ids.join(' ')}`]);
  expect(stderr).toContain(`${ids[0]} fingerprint COMPLETED\n`);
  expect({ code, stdout }).toEqual({ code: 8, stdout: '' });
});
