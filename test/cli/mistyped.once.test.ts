import { expect, test, vi } from 'vitest';
import { CommandLine } from '../support/command-line.ts';

// Each command is a process, and starting one takes a while on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

test('a place for the result that cannot take it is told before a job is created', async () => {
  const cli = await CommandLine.with();
  for (const output of ['missing/film.mp4', '/dev/null/films/']) {
    expect(await cli.run(['run', 'demo', '-o', output])).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(/'-o, --output <file>' argument .* is no folder\. Create it, or name another\./) });
  }
});

test('a word that names no command is told, with what it may have meant, and nothing is run in its place', async () => {
  const cli = await CommandLine.with();
  expect(await cli.run(['jbos'])).toMatchObject({ code: 2, stderr: expect.stringContaining("unknown command 'jbos'\n(Did you mean jobs?)") });
  expect(await cli.run(['keys', 'revok', 'key_1'])).toMatchObject({ code: 2, stderr: expect.stringContaining("unknown command 'revok'\n(Did you mean revoke?)") });
  // Without a word it is the list, which needs somebody who is signed in.
  expect(await cli.run(['keys', '--json'])).toMatchObject({ code: 4, stderr: expect.stringContaining('longhaul login') });
});
