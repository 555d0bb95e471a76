import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

test('a job that was created is pending and charged', async () => {
  const workspace = await longhaul.workspace({ credits: 10 });
  const { data } = await longhaul.graphql(
    'mutation { createJob(input: { type: "transcribe", input: { sourceUrl: "https://example.com/a.mp4" } }) { ... on CreateJobPayload { job { status creditsCharged } } } }',
    {},
    await workspace.key(),
  );
  expect(data).toEqual({ createJob: { job: { status: 'PENDING', creditsCharged: 3 } } });
});
