import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { Tenant } from '../support/domain.ts';
import { eventually } from '../support/eventually.ts';
import { createFaultProxy } from '../support/fault-proxy.ts';
import { startLonghaul } from '../support/longhaul.ts';
import { makeOwnDatabase } from '../support/own-database.ts';
import { openSource } from '../support/source.ts';

const content = Buffer.alloc(1_000, 'longhaul ');

/** Shorter than leases are. Milliseconds. */
const blink = 5_000;

test('while Postgres is away for five seconds, attempts of the built-in worker end: each end is told afterwards, and costs no further attempt', async () => {
  const own = await makeOwnDatabase();
  const proxy = await createFaultProxy(own.url);
  const longhaul = await startLonghaul({ ROLE: 'all', DATABASE_URL: proxy.url, OUTBOUND_ALLOW: '127.0.0.1,localhost' });
  onTestFinished(() => longhaul.stop());
  const tenant = await Tenant.in(longhaul);
  const begin = async (type: string) => {
    const source = await openSource(content.length);
    const { id } = await tenant.create({ type, input: { sourceUrl: source.url }, maxAttempts: 1 });
    return { id, response: await source.answer() };
  };
  const [download, fingerprint, broken] = await Promise.all([begin('download'), begin('fingerprint'), begin('download')]);

  proxy.cut();
  download.response.end(content);
  fingerprint.response.end(content);
  broken.response.destroy();
  await delay(blink);
  proxy.mend();

  const ended = { attempt: 1, failedAttempts: 0 };
  await eventually(async () => expect(await tenant.read(download.id)).toMatchObject({ ...ended, status: 'COMPLETED' }), blink);
  await eventually(async () => expect(await tenant.read(fingerprint.id)).toMatchObject({ ...ended, status: 'COMPLETED' }), blink);
  await eventually(async () => {
    const failed = { status: 'FAILED', attempt: 1, failedAttempts: 1, error: { code: 'SOURCE_INCOMPLETE' } };
    expect(await tenant.read(broken.id)).toMatchObject(failed);
  }, blink);
}, 60_000);
