import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import type { NamedFile } from '../../../files/named-file.ts';
import { FileTooLargeError } from '../../../files/stores/errors.ts';
import type { JsonObject } from '../../../json.ts';
import { tooLargeOutput } from '../../media/failures.ts';
import type { Media, MediaRun } from '../../media/media.ts';
import { bringSource } from '../../media/source-file.ts';
import { stageOf } from '../../media/stages.ts';
import { type Attempt, type Handler, HandlerError } from '../../handler.ts';
import { cleanFilename } from '../filename.ts';

/** Up to which percentage the sources come, and from which the results are stored. */
const stages = { sources: 20, results: 95 } as const;

/** What a handler of media works with. */
export interface Work<Input> {
  input: Input;
  run: MediaRun;
  attempt: Attempt;
  /** For what follows the sources: its percentages are those of the work alone. */
  working: Attempt;
  /** Brings the sources into the folder, under these names. Resolves to the name that the first one had where it was. */
  bring(sources: readonly { url: string; name: string }[]): Promise<string>;
}

/** A file of the folder that becomes a result. */
export interface MadeFile {
  /** In the folder. */
  path: string;
  /** What it is to the job. */
  name: string;
  filename: string;
  mediaType: string;
  /** What the output says of it, beside its name, size and digest. */
  facts?: JsonObject;
}

interface Made {
  output: JsonObject;
  /** The main one first. */
  files: readonly MadeFile[];
}

/** A handler that works on files in a folder of its own, and stores some of them. Its output has them as `files`. */
export function mediaHandler<Schema extends z.ZodType>(media: Media, schema: Schema, work: (work: Work<z.output<Schema>>) => Promise<Made>): Handler {
  return async (attempt) => {
    const input = inputOf(attempt, schema);
    return media.within(attempt, async (run) => {
      const bring: Work<z.output<Schema>>['bring'] = async (sources) => {
        let first = 'media';
        for (const [index, { url, name }] of sources.entries()) {
          const [from = 0, to = 0] = [index, index + 1].map((done) => (stages.sources * done) / sources.length);
          const { filename } = await bringSource(stageOf(attempt, from, to), url, { folder: run.folder, name, maxBytes: media.maxBytes });
          if (index === 0) first = filename;
        }
        return first;
      };
      const { output, files } = await work({ input, run, attempt, working: stageOf(attempt, stages.sources, stages.results), bring });
      attempt.report({ step: 'storing', message: null, percentage: stages.results });
      const artifacts: NamedFile[] = [];
      for (const file of files) artifacts.push(await store(attempt, run.folder, file, media.maxBytes));
      // A page that draws the last report shows all of it.
      attempt.report({ percentage: 100 });
      const described = artifacts.map(({ name, file: { filename, mediaType, bytes, sha256 } }, index) => ({ name, filename, mediaType, bytes, sha256, ...files[index]?.facts }));
      return { output: described.length === 0 ? output : { ...output, files: described }, artifacts };
    });
  };
}

/** JOB_TYPES can let other input through than the shipped type does. */
function inputOf<Schema extends z.ZodType>({ job }: Attempt, schema: Schema): z.output<Schema> {
  const parsed = schema.safeParse(job.input);
  if (parsed.success) return parsed.data;
  throw new HandlerError('INPUT_REFUSED', `The input is not one of the shipped type ${job.type}. Correct it, or the type in JOB_TYPES.`, { retryable: false });
}

async function store({ artifacts, job, signal, log }: Attempt, folder: string, { path, name, filename, mediaType }: MadeFile, maxBytes: number): Promise<NamedFile> {
  try {
    const file = await artifacts.save(createReadStream(join(folder, path)), { workspaceId: job.workspaceId, filename, mediaType, maxBytes, signal });
    log.info('stored a file', { name, filename, mediaType, bytes: file.bytes });
    return { name, file };
  } catch (error) {
    throw error instanceof FileTooLargeError ? tooLargeOutput(maxBytes) : error;
  }
}

/** The name of a source, with what was made of it. */
export function renamed(filename: string, suffix: string, extension: string): string {
  const stem = filename.replace(/\.[\w-]{1,16}$/, '');
  return cleanFilename(`${stem}${suffix}.${extension}`) ?? `media.${extension}`;
}
