import { execFileSync } from 'node:child_process';
import { parse } from 'graphql';
import { describe, expect, test } from 'vitest';
import { asCommand, asCurl, asGraphql, type Recipe } from '../../src/dashboard/job/copy-as.ts';

const recipe: Recipe = {
  type: 'media/export',
  input: { text: `it's "$HOME" and \`date\`\n\\JSON`, nested: [1, null, { 'odd key': true }] },
  tags: ["it's", 'nightly'],
  priority: -5,
};

/** What the shell gives to a program of this name: its arguments and standard input. */
function runs(text: string, program: string): { parameters: string[]; input: string; url: string | undefined } {
  const script = `${program}() { printf '%s\\0' "$@" "$LONGHAUL_URL"; cat; }; ${text}`;
  const parts = execFileSync('sh', ['-c', script], { encoding: 'utf8', env: { LONGHAUL_KEY: 'from-the-shell' } }).split('\0');
  return { parameters: parts.slice(0, -2), url: parts.at(-2), input: parts.at(-1) ?? '' };
}

describe('a job copied as what makes it again', () => {
  const made = { type: recipe.type, input: recipe.input, tags: recipe.tags, priority: recipe.priority };

  test('curl sends it as it was, with the key of the shell', () => {
    const text = asCurl(recipe, 'http://localhost:4000/sub');
    expect(text).not.toContain('from-the-shell');
    const { parameters, input } = runs(text, 'curl');
    expect(parameters).toContain('http://localhost:4000/sub/graphql');
    expect(parameters).toContain('Authorization: Bearer from-the-shell');
    const { query, variables }: { query: string; variables: unknown } = JSON.parse(input);
    expect(parse(query).definitions).toHaveLength(1);
    expect(variables).toEqual({ input: made });
  });

  test('the command line reads it from standard input', () => {
    const { parameters, input, url } = runs(asCommand(recipe, 'http://localhost:4000'), 'npx');
    expect(parameters).toEqual(['longhaul', 'run', 'media/export', '--tag', "it's", '--tag', 'nightly', '--priority', '-5', '-i', '-']);
    expect(url).toBe('http://localhost:4000');
    expect(JSON.parse(input)).toEqual(recipe.input);
  });

  test('GraphQL comes with its variables', () => {
    const [document = '', variables = ''] = asGraphql({ ...recipe, tags: [], priority: 0 }).split('# Variables\n');
    expect(parse(document).definitions).toHaveLength(1);
    expect(JSON.parse(variables)).toEqual({ input: { type: recipe.type, input: recipe.input } });
  });
});
