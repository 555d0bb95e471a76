import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { declareTypes } from '../../clients/js/src/types/declare.ts';
import { startLonghaul } from '../support/longhaul.ts';
import { packClient } from '../support/packed-client.ts';

const run = promisify(execFile);
const compiler = createRequire(import.meta.url).resolve('typescript/package.json').replace('package.json', 'bin/tsc');

test('the types that the command makes let through what the server takes, and nothing else', async () => {
  const { folder, node } = await packClient();
  await writeFile(join(folder, 'types.json'), JSON.stringify([
    {
      name: 'scene:render', credits: 1, description: 'Renders a scene. */',
      inputSchema: {
        type: 'object', required: ['scene', 'quality'], additionalProperties: false,
        properties: { scene: { type: 'string', description: 'Its name.' }, quality: { enum: ['low', 'high', 3] }, frames: { type: 'array', items: { type: 'integer' } } },
      },
      outputSchema: { type: 'object', required: ['seconds'], properties: { seconds: { type: 'number' } } },
    },
  ]));
  const longhaul = await startLonghaul({ JOB_TYPES: join(folder, 'types.json') });
  onTestFinished(() => longhaul.stop());
  const env = { LONGHAUL_URL: longhaul.url, LONGHAUL_KEY: longhaul.adminKey };
  await writeFile(join(folder, 'jobs.d.ts'), await node('node_modules/@longhaul/client/dist/types/main.js types', env));

  const wrong = node('node_modules/@longhaul/client/dist/types/main.js types', { ...env, LONGHAUL_KEY: 'lh_wrong' });
  await expect(wrong).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('key'), stdout: '' });

  await writeFile(join(folder, 'user.mts'), `
    import { createClient } from '@longhaul/client';
    import type { JobTypes } from './jobs.js';
    const client = createClient<JobTypes>({ url: 'http://localhost', auth: 'key' });
    const { seconds } = await client.run('scene:render', { scene: 'a', quality: 3, frames: [1] });
    seconds.toFixed();
    await client.submit('scene:render', { scene: new Blob(['a file, too']), quality: 'low' });
    await client.submit('fingerprint', { sourceUrl: 'https://example.com/a.mp4' });
    // @ts-expect-error not one of the qualities
    await client.submit('scene:render', { scene: 'a', quality: 'best' });
    // @ts-expect-error without its quality
    await client.submit('scene:render', { scene: 'a' });
    // @ts-expect-error no such type
    await client.submit('scene:paint', {});
    export {};
  `);
  const options = ['--strict', '--noEmit', '--target', 'es2022', '--module', 'nodenext', '--lib', 'es2023,dom,dom.asynciterable', '--types', ''];
  const { stdout } = await run(process.execPath, [compiler, ...options, 'user.mts', 'jobs.d.ts'], { cwd: folder }).catch((error: { stdout: string }) => error);
  expect(stdout).toBe('');
});

test('the command says what it lacks', async () => {
  const { node } = await packClient();
  const main = 'node_modules/@longhaul/client/dist/types/main.js';
  await expect(node(`${main} types`)).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining('LONGHAUL_KEY is not set') });
  await expect(node(`${main} nonsense`)).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining('Usage: npx @longhaul/client types') });
});

test('what a schema can say is said, and what it cannot is left open', () => {
  const inputSchema = {
    type: 'object',
    properties: {
      either: { anyOf: [{ type: 'string' }, { type: 'null' }] },
      both: { allOf: [{ $ref: '#/$defs/sized' }, { type: 'object', properties: { 'a-b': { const: true } }, required: ['a-b'] }] },
      pair: { type: 'array', prefixItems: [{ type: 'string' }, { type: 'number' }], items: false },
      several: { type: ['string', 'integer'] },
      any: {},
      never: false,
      map: { type: 'object', additionalProperties: { type: 'number' } },
      itself: { $ref: '#' },
    },
    $defs: { sized: { properties: { size: { type: 'integer' } } } },
  };
  const declared = declareTypes([{ name: 'x', description: '', inputSchema, outputSchema: null }], 'here').replaceAll(/\s+/g, ' ');
  expect(declared).toContain('either?: string | null;');
  expect(declared).toContain('both?: { size?: number; } & { "a-b": true; };');
  expect(declared).toContain('pair?: [string, number];');
  expect(declared).toContain('several?: string | number;');
  expect(declared).toContain('any?: unknown; never?: never; map?: Record<string, number>; itself?: {');
  expect(declared).toContain('output: unknown;');
});
