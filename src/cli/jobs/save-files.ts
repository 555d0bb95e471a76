import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { lstat, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Client, Job, TransferProgress } from '@longhaul/client';
import { CommandError } from '../command-error.ts';
import { safeFileName } from '../file-name.ts';
import type { Interruption } from '../interruption.ts';
import { showTransfer, type Transfer } from '../progress/transfer.ts';
import { isFolder } from './output-option.ts';
import { watchCommand } from './watch-command.ts';

/** Downloads a job's result files, each checked by its SHA-256. @throws CommandError, LonghaulError NOT_FOUND where the job has none */
export async function saveFiles(client: Client, job: Pick<Job, 'id' | 'artifacts'>, to: string, isQuiet: boolean, interruption: Interruption): Promise<void> {
  const { signal } = interruption;
  try {
    if (!isFolder(to)) return await saveFile(client, job.id, undefined, to, isQuiet, signal);
    await mkdir(to, { recursive: true });
    const names = job.artifacts.length === 0 ? [undefined] : job.artifacts.map(({ name }) => name);
    for (const name of names) await saveFile(client, job.id, name, to, isQuiet, signal, true);
  } catch (error) {
    throw signal.aborted ? new CommandError(`Interrupted. Download again: ${watchCommand([job.id], { output: to })}`, interruption.exitCode) : error;
  }
}

/** Beside its place first, so that what stands there is whole; but into what is no file itself, such as /dev/null, a pipe or a link. */
async function saveFile(client: Client, id: string, name: string | undefined, to: string, isQuiet: boolean, signal: AbortSignal, inFolder = false): Promise<void> {
  let transfer: Transfer | null = null;
  const options = { onProgress: (progress: TransferProgress) => transfer?.progress(progress), signal };
  const file = await client.download(id, name === undefined ? options : { ...options, name });
  const path = inFolder ? join(to, safeFileName(file.filename)) : to;
  using shown = showTransfer(`Downloading ${path}`, isQuiet);
  transfer = shown;
  const isWrittenInto = !inFolder && (await lstat(path).then((found) => !found.isFile(), () => false));
  const part = isWrittenInto ? path : `${path}.${process.pid}.part`;
  const hash = createHash('sha256');
  const hashing = new Transform({
    transform: (bytes: Buffer, _encoding, done) => {
      hash.update(bytes);
      done(null, bytes);
    },
  });
  try {
    await pipeline(file.stream, hashing, createWriteStream(part, { flags: isWrittenInto ? 'w' : 'wx' }));
    if (file.sha256 !== null && hash.digest('hex') !== file.sha256) throw new CommandError(`${path} came otherwise than the server stored it (SHA-256). Download it again.`);
    if (!isWrittenInto) await rename(part, path);
  } catch (error) {
    if (!isWrittenInto) await rm(part, { force: true });
    throw error;
  }
}
