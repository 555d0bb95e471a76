import type { Artifact, Job } from '@longhaul/client';
import type { Command } from 'commander';
import { connect, withServerOptions } from '../connect.ts';
import type { ServerChoice } from '../contexts/choose-server.ts';
import { shownBytes } from '../output/amounts.ts';
import { propertiesIn } from '../output/columns.ts';
import { type PrintOptions, printList, printRecord, type Shape, withPrintOptions } from '../output/print-list.ts';
import { stateOf } from '../progress/change-lines.ts';
import { noSuchJob } from './no-such-job.ts';

/** All that there is to know of a job. */
interface WholeJob extends Job {
  input: object;
  attempts: { number: number; workerId: string; outcome: string | null; error: { code: string; message: string } | null }[];
}

const fields = `id uuid type status version input progress { step message percentage } output error { code message } tags priority maxAttempts
  attempts { number workerId dueAt startedAt endedAt outcome error { code message } }
  creditsCharged creditsRefunded cancelReason clientReference concurrencyKey concurrencyLimit retryOf { id } schedule { id name } dialect vendorId
  downloadUrl downloadUrlExpiresAt artifacts { id name filename mediaType bytes sha256 url expiresAt } uploads { id filename mediaType bytes complete }
  runAt nextAttemptAt createdAt startedAt finishedAt updatedAt`;

const query = `query ($id: ID!) { job(id: $id) { ${fields} } }`;

const shape: Shape<WholeJob> = {
  columns: {
    id: null,
    type: null,
    status: stateOf,
    input: null,
    output: null,
    tags: null,
    priority: null,
    credits: ({ creditsCharged, creditsRefunded }) => `${creditsCharged} charged${creditsRefunded === 0 ? '' : `, ${creditsRefunded} refunded`}`,
    reference: ({ clientReference }) => clientReference,
    attempts: ({ attempts }) =>
      attempts.map(({ number, workerId, outcome, error }) => `${number} of ${workerId}: ${outcome ?? 'runs'}${error === null ? '' : ` ${error.code}: ${error.message}`}`).join('; ') || null,
    files: ({ artifacts }) => artifacts.map(fileText).join('; ') || null,
    createdAt: null,
    runAt: null,
    startedAt: null,
    finishedAt: null,
  },
  properties: propertiesIn(fields, ['input', 'output', 'tags']),
  id: 'id',
};

/** Of several at once. */
const shortShape: Shape<WholeJob> = { ...shape, columns: { id: null, type: null, status: stateOf, createdAt: null, finishedAt: null } };

export function declare(command: Command): void {
  withPrintOptions(withServerOptions(command), ({ args }) => (args.length === 1 ? shape : shortShape)).argument('<ids...>', 'of the jobs').action(show);
}

function fileText({ name, filename, bytes }: Artifact): string {
  return `${name}: ${filename} (${shownBytes(bytes)})`;
}

async function show(ids: string[], options: ServerChoice & PrintOptions): Promise<void> {
  const client = await connect(options);
  const jobs = await Promise.all(
    ids.map(async (id) => {
      const { job } = await client.query<{ job: WholeJob | null }>(query, { id });
      if (job === null) throw noSuchJob(id);
      return job;
    }),
  );
  const [only] = jobs;
  if (jobs.length === 1 && only !== undefined) printRecord(only, shape, options);
  else printList(jobs, shortShape, options);
}
