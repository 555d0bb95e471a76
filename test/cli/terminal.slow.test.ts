import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { commandUser } from '../support/command-line.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';

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
