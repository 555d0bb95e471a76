import { expect, test } from 'vitest';
import { startLonghaul } from '../support/longhaul.ts';

test('a worker, which serves nobody, has no /docs', async () => {
  const worker = await startLonghaul({ ROLE: 'worker' });
  try {
    expect((await fetch(`${worker.url}/docs`)).status).toBe(404);
  } finally {
    await worker.stop();
  }
});
