import { randomUUID } from 'node:crypto';
import { openAsBlob } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Client } from '@longhaul/client';
import type { Command } from 'commander';
import { askMutation, failed } from '../ask-mutation.ts';
import { UsageError } from '../command-error.ts';
import { plainText } from '../output/plain-text.ts';
import { gather, readInstant, wholeNumber } from '../periods.ts';
import { showTransfer } from '../watching/transfer.ts';
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
}

/** What an answer tells of a new job whatever the key may read. */
export interface CreatedJob {
  id: string;
  uuid: string;
  type: string;
  status: string;
  creditsCharged: number;
}

export function withCreation(command: Command): Command {
  return command
    .argument('<type>', 'of the job; longhaul types lists them')
    .option('-i, --input <part>', 'a part of the input: key=text, key:=json, @file.json, or - for standard input', gather, [])
    .option('--file <key=path>', 'upload a file, and put it into the input', gather, [])
    .option('--tag <tag>', 'a tag of the job; may be given several times', gather, [])
    .option('--priority <number>', 'a head start on other jobs, from -100 to 100', wholeNumber(-100, 100))
    .option('--at <instant>', 'not before: 2030-01-31T08:00:00Z, or +10m from now on', readInstant)
    .option('--idempotency-key <key>', 'the same key and request within 24 hours are the same job, charged once')
    .option('--reference <text>', 'a name of your own for the job')
    .option('--webhook-url <url>', 'where its end is reported')
    .option('--max-attempts <number>', 'how often it is tried', wholeNumber(1, 100))
    .addHelpText('after', inputHelp);
}

const createJob = `mutation ($input: CreateJobInput!) { createJob(input: $input) {
  ... on CreateJobPayload { job { id uuid type status creditsCharged } warnings { code message } } ${failed} } }`;

/** Uploads the files, creates the job, and tells on standard error what its submitter should know. */
export async function createJobOf(client: Client, type: string, options: CreationOptions, signal?: AbortSignal): Promise<CreatedJob> {
  const input = await readInput(options.input);
  for (const [key, path] of options.file.map(readFile)) putAt(input, key, await sendFile(client, path, options.quiet === true, signal));
  const { priority, at: runAt, webhookUrl, maxAttempts, reference: clientReference, idempotencyKey = randomUUID() } = options;
  const request = { type, input, tags: options.tag, priority, runAt, webhookUrl, maxAttempts, clientReference, idempotencyKey };
  const { job, warnings } = await askMutation<{ job: CreatedJob; warnings: { message: string }[] }>(client, createJob, request);
  for (const { message } of warnings) process.stderr.write(`Note: ${plainText(message)}\n`);
  return job;
}

function readFile(pair: string): [key: string, path: string] {
  const at = pair.indexOf('=');
  if (at < 1 || at === pair.length - 1) throw new UsageError(`--file ${pair} is not of the form key=path, such as source=clip.mp4.`);
  return [pair.slice(0, at), pair.slice(at + 1)];
}

/** @returns the reference that stands in the input */
async function sendFile(client: Client, path: string, isQuiet: boolean, signal: AbortSignal | undefined): Promise<string> {
  const size = await stat(path).then((found) => (found.isFile() ? found.size : null), () => null);
  if (size === null) throw new UsageError(`There is no file ${path} to upload.`);
  using transfer = showTransfer(`Uploading ${basename(path)}`, isQuiet);
  const uploaded = await client.upload(await openAsBlob(path), { filename: basename(path), onProgress: transfer.progress, signal });
  return uploaded.reference;
}
