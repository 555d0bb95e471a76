import { jsonText } from '../app/json-values.ts';

/** What of a job makes it again. */
export interface Recipe {
  type: string;
  input: unknown;
  tags: readonly string[];
  priority: number;
}

const mutation = `mutation ($input: CreateJobInput!) {
  createJob(input: $input) {
    ... on CreateJobPayload { job { id status } warnings { code message } }
    ... on UserError { code message }
    ... on ValidationError { issues { path message } }
  }
}`;

/** The mutation that makes the job again, and its variables. */
export function asGraphql(recipe: Recipe): string {
  return `${mutation}\n\n# Variables\n${jsonText(variablesOf(recipe))}\n`;
}

/** The same with curl. The key stays in the shell's LONGHAUL_KEY. @param url of the installation */
export function asCurl(recipe: Recipe, url: string): string {
  const body = { query: mutation.replaceAll(/\s+/g, ' '), variables: variablesOf(recipe) };
  return [
    `curl -sS ${quoted(`${url}/graphql`)} \\`,
    `  -H "Authorization: Bearer $LONGHAUL_KEY" \\`,
    `  -H 'Content-Type: application/json' \\`,
    `  --data-binary @- <<'JSON'`,
    jsonText(body),
    'JSON',
    '',
  ].join('\n');
}

/** The same with the command line, whose key is that of its login, or LONGHAUL_KEY. */
export function asCommand({ type, input, tags, priority }: Recipe, url: string): string {
  const options = [...tags.map((tag) => `--tag ${quoted(tag)}`), ...(priority === 0 ? [] : [`--priority ${priority}`])];
  return [`LONGHAUL_URL=${quoted(url)} npx longhaul run ${[quoted(type), ...options].join(' ')} -i - <<'JSON'`, jsonText(input), 'JSON', ''].join('\n');
}

function variablesOf({ type, input, tags, priority }: Recipe): object {
  return { input: { type, input, ...(tags.length > 0 ? { tags } : {}), ...(priority === 0 ? {} : { priority }) } };
}

/** For a POSIX shell. */
function quoted(text: string): string {
  return /^[\w./:-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
