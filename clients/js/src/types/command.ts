import { parseArgs } from 'node:util';
import { createClient } from '../client.ts';
import { declareTypes, type ListedType } from './declare.ts';

const usage = `Usage: npx @longhaul/client types [--url URL] > jobs.d.ts

Prints the types of jobs that the server has, for createClient<JobTypes>(…).
The address may stand in LONGHAUL_URL (default: http://localhost:4000); a key with READ or WRITE stands in LONGHAUL_KEY.
`;

/** Runs the command. @returns the code to exit with: 0 done, 1 failed, 2 asked wrongly */
export async function command(parameters: readonly string[], env: Readonly<Record<string, string | undefined>>): Promise<number> {
  const asked = read(parameters);
  if (asked === null) {
    process.stderr.write(usage);
    return 2;
  }
  const { help = false, url = env['LONGHAUL_URL'] ?? 'http://localhost:4000' } = asked;
  if (help) {
    process.stdout.write(usage);
    return 0;
  }
  const { LONGHAUL_KEY: auth } = env;
  if (auth === undefined || auth === '') {
    process.stderr.write('LONGHAUL_KEY is not set: set it to a key of the server.\n');
    return 2;
  }
  try {
    const client = createClient({ url, auth });
    const { jobTypes } = await client.query<{ jobTypes: ListedType[] }>('{ jobTypes { name description inputSchema outputSchema } }', {}, { timeout: 30_000 });
    process.stdout.write(declareTypes(jobTypes, new URL(url).host));
    return 0;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

function read(parameters: readonly string[]): { url?: string; help?: boolean } | null {
  try {
    const { values, positionals } = parseArgs({
      args: [...parameters],
      allowPositionals: true,
      options: { url: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    });
    return values.help === true || (positionals.length === 1 && positionals[0] === 'types') ? values : null;
  } catch {
    return null;
  }
}
