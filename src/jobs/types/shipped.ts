import { z } from 'zod';
import { checkInput, expecting } from '../../input.ts';
import { type JsonObject, isJsonObject } from '../../json.ts';
import { demoFields } from './demo.ts';
import type { JobType } from './job-type.ts';
import { mediaSource as sourceUrl } from './media/fields.ts';
import { analysisInput, audioInput, concatenateInput, exportInput, fingerprintFields, previewFields, trimInput, voiceoverInput } from './media/types.ts';
import { source } from './sources.ts';

const videoId = text(200, "The caller's own id of the video.");
const language = z
  .string()
  .max(35)
  .regex(/^[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*$/, { error: expecting('a language tag such as en or pt-BR') });
const spoken = language.describe('Language that is spoken; detected where not given.').nullish();
const targetLanguage = language.describe('Language to translate into, for example de or pt-BR.');
const theme = text(500, 'What is built, for example "Cliffside Ocean Mansion".');

/** A video, named by URL or by id. Both are optional because the worker may know how to find it. */
const video = { sourceUrl: sourceUrl.nullish(), videoId: videoId.nullish() };

/**
 * The job types of the four dialects, and `demo`. What has a built-in handler says so; all others wait for
 * external workers. Prices come from the vendors' pages where given, otherwise they are 1. JOB_TYPES can change any of this.
 *
 * Only fields that a worker cannot do without are required, unknown fields are kept, and optional fields may be null:
 * old clients send more fields than these, and null for those they leave out.
 */
export const shippedJobTypes: readonly JobType[] = [
  jobType({
    name: 'analysis',
    description: 'Analyses a video: scenes, script, summary.',
    input: { ...video, language: spoken },
  }),
  jobType({
    name: 'export',
    description: 'Renders a video into a file.',
    timeoutSeconds: 2 * 3600,
    input: {
      ...video,
      format: text(20, 'Container of the file, for example mp4.').nullish(),
      resolution: text(20, 'Size of the picture, for example 1080p.').nullish(),
    },
  }),
  jobType({
    name: 'translation',
    description: 'Translates a video: subtitles, voice or both.',
    input: { ...video, targetLanguage: targetLanguage.nullish() },
  }),
  jobType({
    name: 'voiceover',
    description: 'Speaks a script over a video.',
    input: {
      ...video,
      script: text(100_000, 'What is spoken.').nullish(),
      voice: text(200, 'Voice that speaks.').nullish(),
      language: language.describe('Language to speak.').nullish(),
    },
  }),
  jobType({
    name: 'tool',
    description: 'Runs one of the video tools.',
    input: { ...video, tool: text(100, 'Name of the tool.').nullish() },
  }),
  jobType({
    name: 'download',
    description: 'Downloads a file and keeps it for the caller to fetch. Built in.',
    input: { sourceUrl },
  }),
  jobType({
    name: 'transcribe',
    description: 'Writes down what is said in a video or audio file. Built in, with an engine.',
    credits: 3,
    timeoutSeconds: 2 * 3600,
    input: { sourceUrl, language: spoken },
  }),
  jobType({
    name: 'translate',
    description: 'Translates what is said in a video or audio file, into English where no targetLanguage is given. Built in, with engines.',
    credits: 4,
    timeoutSeconds: 2 * 3600,
    // The public pages do not say what existing clients call the target language. Whatever they send reaches the
    // worker.
    input: { sourceUrl, targetLanguage: language.describe('Language to translate into, for example de or pt-BR. Default: en.').nullish(), language: spoken },
  }),
  jobType({
    name: 'preview',
    description: 'Makes a poster, a page of thumbnails, a short clip or a waveform. Built in, with ffmpeg.',
    timeoutSeconds: 1800,
    input: previewFields,
  }),
  jobType({
    name: 'fingerprint',
    description: 'Digests a file: SHA-256, size and media type; with ffmpeg also what it sounds and looks like. Built in.',
    input: fingerprintFields,
  }),
  jobType({
    name: 'comments',
    description: 'Collects the public comments under a video.',
    timeoutSeconds: 1800,
    input: { sourceUrl },
  }),
  mediaTranscribe(),
  fromSchema(exportInput, {
    name: 'media/export',
    description: 'Makes files of other formats, sizes and lengths of a video or sound. Built in, with ffmpeg.',
  }),
  fromSchema(analysisInput, {
    name: 'media/analysis',
    description: 'Finds scenes, silence, loudness, black and frozen parts, and makes a page of thumbnails. Built in, with ffmpeg.',
  }),
  fromSchema(concatenateInput, { name: 'media/concatenate', description: 'Puts several videos or sounds one after another. Built in, with ffmpeg.' }),
  fromSchema(trimInput, { name: 'media/trim', description: 'Cuts a part out of a video or sound. Built in, with ffmpeg.' }),
  fromSchema(audioInput, { name: 'media/audio', description: 'Extracts, mixes, replaces or levels the sound of a video. Built in, with ffmpeg.' }),
  fromSchema(voiceoverInput, { name: 'media/voiceover', description: 'Speaks subtitles over a film, each in its time. Built in, with an engine or espeak-ng.' }),
  jobType({
    name: 'house-timelapse',
    description: 'Generates a video of a house that is being built.',
    credits: 150,
    // It is expensive to run again, and its clients give up after half an hour.
    maxAttempts: 2,
    timeoutSeconds: 1800,
    input: { theme: theme.nullish() },
  }),
  jobType({
    name: 'renovation-timelapse',
    description: 'Generates a video of a renovation.',
    credits: 50,
    maxAttempts: 2,
    timeoutSeconds: 1800,
    input: {
      theme: theme.nullish(),
      imageUrl: source.describe('Picture of the state before the renovation.').nullish(),
    },
  }),
  jobType({
    name: 'demo',
    description: 'Pretends to work for ten seconds, to show what a job looks like. Built in; needs no input and no network.',
    input: demoFields,
  }),
];

/** RevidAPI's toolkit calls the source `media_url`. Either name is accepted, and both are kept as sent. */
function mediaTranscribe(): JobType {
  const fields = z
    .looseObject({
      media_url: sourceUrl.nullish(),
      sourceUrl: sourceUrl.nullish(),
      task: z.enum(['transcribe', 'translate']).describe('transcribe where not given.').nullish(),
      // The vendor documents no format.
      language: z.string().max(100).describe('Language that is spoken; detected where not given.').nullish(),
    })
    .refine((input) => typeof (input.media_url ?? input.sourceUrl) === 'string', {
      path: ['media_url'],
      error: 'is required, here or as sourceUrl: expected the URL of the media',
    })
    // States the refinement in the published schema, because zod cannot derive it.
    .meta({ anyOf: [{ required: ['media_url'] }, { required: ['sourceUrl'] }] });
  return fromSchema(fields, {
    name: 'media/transcribe',
    description: 'Writes down, or translates into English, what is said in a video or audio file. Built in, with an engine.',
    timeoutSeconds: 2 * 3600,
  });
}

type Terms = Pick<JobType, 'name' | 'description'> &
  Partial<Pick<JobType, 'credits' | 'maxAttempts' | 'timeoutSeconds'>>;

function jobType({ input, ...terms }: Terms & { input: z.ZodRawShape }): JobType {
  return fromSchema(z.looseObject(input), terms);
}

function fromSchema(schema: z.ZodType, terms: Terms): JobType {
  // The round trip through JSON drops the functions that zod attaches to the schema object.
  const inputSchema: JsonObject = JSON.parse(JSON.stringify(z.toJSONSchema(schema, { io: 'input' })));
  return {
    credits: 1,
    maxAttempts: 3,
    timeoutSeconds: 3600,
    leaseSeconds: 30,
    ...terms,
    inputSchema,
    parseInput(input) {
      const checked = checkInput(schema, input);
      if (!checked.ok) return checked;
      // Return the input itself: zod's copy may drop or reorder fields.
      if (isJsonObject(input)) return { ok: true, input };
      return { ok: false, issues: [{ path: [], message: expecting('an object')({ input }) }] };
    },
  };
}

function text(maxLength: number, description: string) {
  return z.string().min(1).max(maxLength).describe(description);
}
