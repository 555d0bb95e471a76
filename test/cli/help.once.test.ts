import { expect, test } from 'vitest';
import { CommandLine } from '../support/command-line.ts';

test('help tells what an option is where it is not given as one would type it', async () => {
  const cli = await CommandLine.with();
  const help = async (...words: string[]) => (await cli.run([...words, '--help'])).stdout.replaceAll(/\s+/g, ' ');
  const [worker, run, stats] = await Promise.all([help('worker', 'run'), help('run'), help('stats')]);
  expect(worker).toMatch(/--grace <time> [^(]*\(default: 4s\)/);
  expect(worker).toMatch(/--drain <time> [^(]*\(default: 20s\)/);
  expect(run).toMatch(/--tag <tag> [^(]*\(default: none\)/);
  expect(stats).toMatch(/--since <instant> [^(]*\(default: -1d\)/);
});
