import { readFile } from 'node:fs/promises';
import { generate } from '@graphql-codegen/cli';
import { expect, test } from 'vitest';
import config from '../../codegen.ts';

test('the typed documents are what codegen makes of them; `npm run codegen` after a change', async () => {
  const files: unknown = await generate({ ...config, silent: true }, false);
  if (!Array.isArray(files) || files.length === 0) throw new Error('codegen made no files');
  for (const { filename, content } of files) {
    expect(await readFile(new URL(`../../${filename}`, import.meta.url), 'utf8')).toBe(content);
  }
});
