import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { createClient } from '../../clients/js/src/index.ts';
import { prepareInstallation } from '../support/process.ts';

const HANDLERS = fileURLToPath(new URL('../support/fixtures/handlers.ts', import.meta.url));

test('an api and a worker that are given the same HANDLERS do a job together; an api without does not know its type', async () => {
  const installation = await prepareInstallation();
  const [api, other] = await Promise.all([
    installation.start('api', { HANDLERS }), installation.start('api'), installation.start('worker', { HANDLERS }),
  ]);
  const client = createClient({ url: api.url, auth: installation.adminKey });
  const handle = await client.submit('own/words', { source: new File(['three words here'], 'a.txt'), loud: false });
  expect(await handle.result({ timeout: 20_000 })).toEqual({ words: 3, loud: false });
  const stranger = createClient({ url: other.url, auth: installation.adminKey });
  await expect(stranger.submit('own/words', { source: 'none' })).rejects.toMatchObject({ message: expect.stringContaining('Unknown job type') });
});
