import { judge } from './judge.ts';
import { type Options, optionsOf, usage } from './options.ts';

process.exitCode = await main();

async function main(): Promise<number> {
  let options: Options | null;
  try {
    options = optionsOf(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return 2;
  }
  if (options === null) {
    process.stdout.write(usage);
    return 0;
  }
  // Interrupted, it still ends what it has started.
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => process.exit(2));
  return judge(options, (line) => process.stdout.write(`${line}\n`));
}
