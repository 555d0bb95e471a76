import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { fileTypeFromBuffer } from 'file-type';
import { z } from 'zod';
import type { JsonObject } from '../../json.ts';
import { fingerprintFields } from '../../jobs/types/media/types.ts';
import { type Attempt, type Handler, HandlerError } from '../handler.ts';
import type { Media, MediaRun } from '../media/media.ts';
import { stageOf } from '../media/stages.ts';
import { resemblanceOf } from './media/resemblance.ts';
import { openSource } from './source.ts';

/** How many bytes file-type reads by default. */
const headBytes = 4100;

const usualFrames = 16;

const sourceName = 'source';

const options = z.looseObject({ frames: fingerprintFields.frames });

interface Digest {
  sha256: string;
  bytes: number;
  mediaType: string;
}

/**
 * Hashes the file at `input.sourceUrl` without storing it. Refuses files over `maxBytes`. Of media, where there is ffmpeg, it also makes
 * what finds them again when they were encoded anew: a chromaprint of the sound, and perceptual hashes of frames.
 */
export function createFingerprintHandler({ maxBytes, media }: { maxBytes: number; media: Media | null }): Handler {
  return async (attempt) => {
    if (media === null) return { output: { ...(await digest(attempt, maxBytes, null)) } };
    const frames = framesOf(attempt);
    return media.within(attempt, async (run) => {
      const digested = await digest(stageOf(attempt, 0, 50), maxBytes, run);
      return { output: { ...digested, ...(isMedia(digested.mediaType) && (await resemblance(attempt, run, frames))) } };
    });
  };
}

function framesOf({ job }: Attempt): number {
  const parsed = options.safeParse(job.input);
  if (parsed.success) return parsed.data.frames ?? usualFrames;
  throw new HandlerError('INPUT_REFUSED', 'The input is not one of the shipped type fingerprint. Correct it, or the type in JOB_TYPES.', { retryable: false });
}

/** A file that says it is media need not be: then its digest is all there is. */
async function resemblance(attempt: Attempt, run: MediaRun, frames: number): Promise<JsonObject> {
  try {
    return await resemblanceOf(stageOf(attempt, 50, 100), run, sourceName, frames);
  } catch (error) {
    if (!(error instanceof HandlerError) || error.retryable) throw error;
    attempt.log.warn('the file cannot be read as media', { code: error.code });
    return {};
  }
}

/** @param run where the file is kept meanwhile, if it looks like media; null for nowhere */
async function digest(attempt: Attempt, maxBytes: number, run: MediaRun | null): Promise<Digest> {
  const source = await openSource(attempt, { maxBytes });
  let copy: FileHandle | null = null;
  try {
    const hash = createHash('sha256');
    let head = Buffer.alloc(0);
    let bytes = 0;
    for await (const chunk of source.bytes) {
      hash.update(chunk);
      bytes += chunk.byteLength;
      if (copy !== null) await copy.appendFile(chunk);
      else if (head.byteLength < headBytes) {
        head = Buffer.concat([head, chunk]);
        if (head.byteLength >= headBytes) copy = await copyOf(run, head);
      }
    }
    if (bytes < headBytes) copy = await copyOf(run, head);
    const output = { sha256: hash.digest('hex'), bytes, mediaType: await sniff(head) };
    attempt.log.info('read the file', output);
    return output;
  } finally {
    source.close();
    await copy?.close();
  }
}

/** Null if it does not begin like media. */
async function copyOf(run: MediaRun | null, head: Uint8Array): Promise<FileHandle | null> {
  if (run === null || !isMedia(await sniff(head))) return null;
  const copy = await open(join(run.folder, sourceName), 'wx');
  await copy.appendFile(head);
  return copy;
}

function isMedia(mediaType: string): boolean {
  return /^(?:video|audio|image)\/|^application\/(?:ogg|mxf|vnd\.ms-asf)$/.test(mediaType);
}

/** Detects the media type from the content. The type that the source declares is not trusted. */
async function sniff(head: Uint8Array): Promise<string> {
  const type = await fileTypeFromBuffer(head.subarray(0, headBytes));
  return type?.mime ?? 'application/octet-stream';
}
