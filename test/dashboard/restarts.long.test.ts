import { describe, test } from 'vitest';
import { CancelJobDocument, CreateJobsDocument } from '../graphql/generated/graphql.ts';
import { hasChromium } from '../support/browser.ts';
import { ask } from '../support/client.ts';
import { visit } from '../support/dashboard.ts';
import { prepareInstallation } from '../support/process.ts';

describe.skipIf(!hasChromium())('in Chromium', () => {
  test('a list goes on when its server was killed and comes back, with all that happened meanwhile', { timeout: 180_000 }, async () => {
    const installation = await prepareInstallation();
    const { adminKey } = installation;
    const first = await installation.start('api');
    const other = await installation.start('api');
    const input = { jobs: [{ type: 'demo' }, { type: 'demo' }] };
    const { createJobs } = await ask(other.url, adminKey, CreateJobsDocument, { input });
    if (createJobs === null || !('jobs' in createJobs)) throw new Error('The jobs were refused.');
    const [job] = createJobs.jobs;
    if (job === undefined) throw new Error('No job was created.');

    const visitor = await visit(first.url, { key: adminKey });
    visitor.allow(/ERR_CONNECTION_REFUSED|WebSocket connection|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET/);
    const { page } = visitor;
    await page.getByRole('button', { name: 'Live' }).waitFor();
    first.kill('SIGKILL');
    await page.getByRole('button', { name: 'Not connected' }).waitFor();
    await page.getByText('Server not reachable').waitFor();

    // The other process works on, and nobody tells the page.
    await ask(other.url, adminKey, CancelJobDocument, { input: { id: job.id } });
    await ask(other.url, adminKey, CreateJobsDocument, { input });
    await first.ended;
    await installation.start('api', { PORT: new URL(first.url).port });

    await page.getByRole('button', { name: 'Live' }).waitFor();
    await page.locator(`tr[data-job="${job.id}"]`).filter({ hasText: 'Cancelled' }).waitFor();
    await page.getByRole('button', { name: '2 new' }).waitFor();
    await page.getByText('Server not reachable').waitFor({ state: 'detached' });
  });
});
