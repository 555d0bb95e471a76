import { randomUUID } from 'node:crypto';
import { openAsBlob } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Client } from '@longhaul/client';
import type { Command } from 'commander';
import { askMutation, failed } from '../ask-mutation.ts';
import { codeOf, CommandError, UsageError } from '../command-error.ts';
import type { Interruption } from '../interruption.ts';
import { mediaTypeOf } from '../media-type.ts';
import { listOption, readInstant, wholeNumber } from '../options.ts';
import { propertiesIn } from '../output/columns.ts';
import { plainText } from '../output/plain-text.ts';
import type { Shape } from '../output/print-list.ts';
import { showTransfer } from '../progress/transfer.ts';
import { inputHelp, putAt, readInput } from './input-parts.ts';

/** What a job is created with. */
export interface CreationOptions {
  input: string[];
  file: string[];
  tag: string[];
  priority?: number;
  at?: string;
  idempotencyKey?: string;
  reference?: string;
  webhookUrl?: string;
  maxAttempts?: number;
  quiet?: true;
  cancelOnInterrupt?: true;
}

/** What an answer tells of a new job whatever the key may read. */
export interface CreatedJob {
  id: string;
  uuid: string;
  type: string;
  status: string;
  creditsCharged: number;
}

export function withCreationOptions(command: Command): Command {
  return command
    .argument('<type>', 'of the job; longhaul types lists them')
    .addOption(listOption('-i, --input <part>', 'a part of the input: key=text, key:=json, @file.json, or - for standard input'))
    .addOption(listOption('--file <key=path>', 'upload a file, and put it into the input; may be given several times'))
    .addOption(listOption('--tag <tag>', 'a tag of the job; may be given several times'))
    .option('--priority <number>', 'a head start on other jobs, from -100 to 100', wholeNumber(-100, 100))
    .option('--at <instant>', 'not before: 2030-01-31T08:00:00Z, or +10m from now on', readInstant)
    .option('--idempotency-key <key>', 'the same key and request within 24 hours are the same job, charged once')
    .option('--reference <text>', 'a name of your own for the job')
    .option('--webhook-url <url>', 'where its end is reported')
    .option('--max-attempts <number>', 'how often it is tried', wholeNumber(1, 100))
    .addHelpText('after', inputHelp);
}

const fields = 'id uuid type status creditsCharged';

export const createdShape: Shape<CreatedJob> = {
  columns: { id: null, type: null, status: null, creditsCharged: null },
  properties: propertiesIn(fields),
  id: 'id',
};

const document = `mutation ($input: CreateJobInput!) { createJob(input: $input) {
  ... on CreateJobPayload { job { ${fields} } warnings { code message } } ${failed} } }`;

/** For so long after an interruption its answer is waited for, where the job is to be cancelled then, in milliseconds. */
const answerWithin = 10_000;

/**
 * Uploads the files, creates the job, and tells on standard error what its submitter should know. An interruption ends it, but where
 * the job is to be cancelled at one: then its id is waited for.
 */
export async function createJob(client: Client, type: string, options: CreationOptions, interruption: Interruption): Promise<CreatedJob> {
  const { signal } = interruption;
  const request = await requestOf(client, type, options, signal).catch((error: unknown) => {
    throw signal.aborted ? new CommandError('Interrupted before the job was created.', interruption.exitCode) : error;
  });
  const sending = askMutation<{ job: CreatedJob; warnings: { message: string }[] }>(client, document, request, {
    signal: options.cancelOnInterrupt === true ? laterThan(signal, answerWithin) : signal,
  });
  const { job, warnings } = await sending.catch((error: unknown) => {
    const what = `Interrupted while the job was being created: it may be there. Look before you create it again: longhaul jobs --type ${type}`;
    throw codeOf(error) === 'ABORTED' ? new CommandError(what, interruption.exitCode) : error;
  });
  for (const { message } of warnings) process.stderr.write(`Note: ${plainText(message)}\n`);
  return job;
}

async function requestOf(client: Client, type: string, options: CreationOptions, signal: AbortSignal): Promise<object> {
  const input = await readInput(options.input, signal);
  for (const [key, path] of options.file.map(keyAndPath)) putAt(input, key, await sendFile(client, path, options.quiet === true, signal));
  signal.throwIfAborted();
  const { priority, at: runAt, webhookUrl, maxAttempts, reference: clientReference, idempotencyKey = randomUUID() } = options;
  return { type, input, tags: options.tag, priority, runAt, webhookUrl, maxAttempts, clientReference, idempotencyKey };
}

/** Aborted so much later. */
function laterThan(signal: AbortSignal, milliseconds: number): AbortSignal {
  const controller = new AbortController();
  signal.addEventListener('abort', () => void setTimeout(() => controller.abort(), milliseconds).unref(), { once: true });
  return controller.signal;
}

function keyAndPath(pair: string): [key: string, path: string] {
  const at = pair.indexOf('=');
  if (at < 1 || at === pair.length - 1) throw new UsageError(`--file ${pair} is not of the form key=path, such as source=clip.mp4.`);
  return [pair.slice(0, at), pair.slice(at + 1)];
}

/** @returns the reference that stands in the input */
async function sendFile(client: Client, path: string, isQuiet: boolean, signal: AbortSignal): Promise<string> {
  const size = await stat(path).then((found) => (found.isFile() ? found.size : null), () => null);
  if (size === null) throw new UsageError(`There is no file ${path} to upload.`);
  using transfer = showTransfer(`Uploading ${basename(path)}`, isQuiet);
  const blob = await openAsBlob(path, { type: mediaTypeOf(path) ?? '' });
  const uploaded = await client.upload(blob, { filename: basename(path), onProgress: transfer.progress, signal });
  return uploaded.reference;
}
