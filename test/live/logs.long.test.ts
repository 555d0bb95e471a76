import { expect, onTestFinished, test } from 'vitest';
import {
  AppendLogsDocument,
  ClaimJobsDocument,
  CompleteJobDocument,
  CreateJobDocument,
  WatchLogsDocument,
} from '../graphql/generated/graphql.ts';
import { ask, rest, watchEvents, watchSocket } from '../support/client.ts';
import { prepareInstallation } from '../support/process.ts';
import { createRedisServer } from '../support/redis-server.ts';

test('G1, G2, P6: watchers on both processes get every line once, although Redis is killed, and comes back, in between', async () => {
  const redis = await createRedisServer();
  onTestFinished(() => redis.stop());
  await redis.start();
  const { adminKey: key, start } = await prepareInstallation();
  const urls = (await Promise.all([1, 2].map(() => start('api', { REDIS_URL: redis.url })))).map(({ url }) => url);
  const [one = '', two = ''] = urls;

  const { createJob } = await ask(one, key, CreateJobDocument, { input: { type: 'comments', input: { sourceUrl: 'https://example.com/a.mp4' } } });
  const [id = ''] = /job_[\w-]+/.exec(JSON.stringify(createJob)) ?? [];
  const { claimJobs } = await ask(one, key, ClaimJobsDocument, { input: { types: ['comments'], jobIds: [id], workerId: 'w' } });
  const [token = ''] = /lease_[\w-]+/.exec(JSON.stringify(claimJobs)) ?? [];
  const watches = urls.flatMap((url) => [watchSocket, watchEvents].map((watch) => rest(watch(url, key, WatchLogsDocument, { id }))));

  let written = 0;
  /** From both processes at the same time. */
  const write = async (calls: number) => {
    for (let call = 0; call < calls; call += 1) {
      const lines = [{ message: `call ${call}` }, { message: 'its second line' }];
      await Promise.all(urls.map((url) => ask(url, key, AppendLogsDocument, { input: { token, lines } })));
      written += 4;
    }
  };
  await write(20);
  await redis.stop();
  await write(20);
  await redis.start();
  await write(20);
  await redis.stop();
  const last = ask(two, key, AppendLogsDocument, { input: { token, lines: [{ message: 'the last line' }] } });
  expect(await last).toMatchObject({ appendLogs: { sequence: written + 1 } });
  await ask(one, key, CompleteJobDocument, { input: { token, output: {} } });

  for (const events of await Promise.all(watches)) {
    const sequences = events.flatMap(({ jobLogs }) => jobLogs.map(({ sequence }) => sequence));
    expect(sequences).toEqual(Array.from({ length: written + 1 }, (_, index) => index + 1));
  }
}, 90_000);
