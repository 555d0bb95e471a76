import { once } from 'node:events';
import { createServer } from 'node:http';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type CommandEntry, commandTable } from '../../src/cli/command-table.ts';
import { CommandLine } from '../support/command-line.ts';

// Each command is a process, and starting one takes a while on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

let asked = 0;
const server = createServer((_request, response) => {
  asked += 1;
  response.writeHead(401).end();
});
let url = '';
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('It does not listen.');
  url = `http://127.0.0.1:${address.port}`;
});
afterAll(() => void server.close());

async function run(words: readonly string[]) {
  return (await CommandLine.with({ LONGHAUL_URL: url, LONGHAUL_KEY: 'lh_key' })).run(words);
}

/** The words of a command, with what it requires. */
async function wordsOf({ name, load }: CommandEntry, group: readonly string[]): Promise<{ words: string[]; takesColumns: boolean }> {
  const command = new Command(name);
  (await load()).declare(command);
  const required = command.options.filter(({ mandatory }) => mandatory).flatMap(({ long, argChoices }) => [long ?? '', argChoices?.[0] ?? 'x']);
  const words = [...group, name, ...command.registeredArguments.filter((one) => one.required).map(() => 'x'), ...required];
  return { words, takesColumns: command.options.some(({ long }) => long === '--columns') };
}

async function commandsWithColumns(): Promise<string[][]> {
  const all = commandTable.flatMap((entry) => ('commands' in entry ? entry.commands.map((one) => wordsOf(one, [entry.name])) : [wordsOf(entry, [])]));
  return (await Promise.all(all)).filter(({ takesColumns }) => takesColumns).map(({ words }) => words);
}

describe('a column that there is not is refused, and nothing is sent', async () => {
  test.each((await commandsWithColumns()).map((words) => [words.join(' '), words] as const))('%s', async (_name, words) => {
    const told = { code: 2, stdout: '', stderr: expect.stringMatching(/^There is no column nonsense\. There are: \w+/) };
    expect(await run([...words, '--columns', 'nonsense'])).toMatchObject(told);
    expect(asked).toBe(0);
  });

  test.each([
    // Of what is printed by ids, and of what is by a filter, each has what the other has not.
    ['jobs cancel job_1', 'seen'],
    ['jobs cancel --all', 'creditsRefunded'],
    ['jobs retry --all', 'retryOf'],
    ['credits --history', 'credits'],
    ['credits', 'amount'],
    // Tables have columns that are no properties, and JSON has not.
    ['jobs delete job_1 --json', 'refused'],
    ['webhooks redeliver delivery_1 --jsonl', 'tries'],
    // Within a plain value there is nothing, and within an object what it has.
    ['jobs cancel job_1', 'id.length'],
    ['watch job_1 --jsonl', 'progress.nonsense'],
    ['jobs get job_1', 'attempts.0.nonsense'],
    // Every object has these by its nature.
    ['jobs cancel job_1', 'constructor'],
    ['jobs', 'progress.toString'],
    ['jobs', ''],
  ])('%s --columns %s', async (words, columns) => {
    expect(await run([...words.split(' '), '--columns', `id,${columns}`])).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(`There is no column ${columns}. There are: `) });
    expect(asked).toBe(0);
  });
});

test('what there is is asked for', async () => {
  const words = ['jobs', 'get', 'job_1', '--columns', 'id, reference,input.crop.preset,tags.0,artifacts.length,artifacts.0.filename,attempts.0.error.code,schedule.name'];
  expect(await run(words)).toMatchObject({ code: 1, stderr: expect.stringContaining("not Longhaul's") });
  expect(asked).toBeGreaterThan(0);
});
