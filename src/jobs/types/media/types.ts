import { z } from 'zod';
import { type ExportFormat, exportFormats, mediaSource, partFields, pictureFields, qualityField, soundFormats, sourceField } from './fields.ts';

const formatField = z.enum(exportFormats).meta({ title: 'Format', description: 'mp4: H.264 and AAC; webm: VP9 and Opus; mp3 and wav: the sound alone; gif: a moving picture without sound.' });
const muteField = z.boolean().meta({ title: 'Without sound', description: 'Leaves the sound out.' });

/** What one file of several may have apart from the others. */
const outputFields = {
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_-]{0,39}$/)
    .meta({ title: 'Name', description: 'Names the file in the result: small letters, digits, - and _. Default: its format.' })
    .optional(),
  format: formatField.optional(),
  ...pictureFields,
  quality: qualityField.optional(),
  mute: muteField.optional(),
};

const order = { path: ['end'], error: 'expected more than start' };

function isOrdered({ start = 0, end }: { start?: number | undefined; end?: number | undefined }): boolean {
  return end === undefined || end > start;
}

/** What each file of several is called: as asked for, else by its format, with its number where an earlier one has the same. */
export function outputNames(outputs: readonly { name?: string | undefined; format?: ExportFormat | undefined }[], usual: ExportFormat): string[] {
  return outputs.map(({ name, format = usual }, index) => {
    const earlier = outputs.slice(0, index).filter((each) => (each.format ?? usual) === format).length;
    return name ?? (earlier === 0 ? format : `${format}-${earlier + 1}`);
  });
}

export const exportInput = z
  .strictObject({
    sourceUrl: mediaSource,
    format: formatField.default('mp4'),
    ...pictureFields,
    quality: qualityField.default('medium'),
    ...partFields,
    mute: muteField.default(false),
    subtitlesUrl: sourceField('SRT, WebVTT or ASS, which is drawn into the picture.', 'Subtitles').optional(),
    outputs: z
      .array(z.strictObject(outputFields))
      .min(1)
      .max(8)
      .meta({ title: 'Several files', description: 'Makes each of these at once, each of another name. What one does not say is as above.' })
      .optional(),
  })
  .refine(isOrdered, order)
  .superRefine(({ outputs = [], format }, context) => {
    const names = outputNames(outputs, format);
    for (const [index, name] of names.entries()) {
      if (names.indexOf(name) === index) continue;
      context.addIssue({ code: 'custom', path: ['outputs', index, 'name'], message: `"${name}" is the name of another output, too; give each its own` });
    }
  });

export const trimInput = z
  .strictObject({
    sourceUrl: mediaSource,
    ...partFields,
    exact: z
      .boolean()
      .default(true)
      .meta({ title: 'Exact', description: 'Cuts at the very frame, which makes all of it anew. Without it, the part begins at the key frame before, and nothing is lost: the first picture and sound are copied, in the format of the source.' }),
    format: formatField.describe('Default: as the source where that can be, else mp4, or mp3 for sound alone. Only where it is exact.').optional(),
    quality: qualityField.default('high'),
  })
  .refine(isOrdered, order);

export const concatenateInput = z.strictObject({
  sourceUrls: z
    .array(sourceField('Where one part is: an absolute http or https URL, or upload:ID.', 'Part'))
    .min(2)
    .max(20)
    .meta({ title: 'Parts', description: 'In their order. All become as large as the first, or as asked for.' }),
  format: z.enum(['mp4', 'webm', ...soundFormats]).default('mp4').meta({ title: 'Format', description: 'mp3 and wav: the sound alone.' }),
  ...pictureFields,
  quality: qualityField.default('medium'),
});

const withSecond = ['mix', 'replace'] as const;

export const audioInput = z
  .strictObject({
    operation: z.enum(['extract', 'normalise', ...withSecond]).default('extract').meta({
      title: 'Operation',
      description: 'extract: the sound alone. normalise: brings it to one loudness (EBU R128). mix: lays another sound over it. replace: puts another sound in its place.',
    }),
    sourceUrl: mediaSource,
    audioUrl: sourceField('The other sound, for mix and replace.', 'Other sound').optional(),
    format: z
      .enum(['mp4', 'webm', ...soundFormats])
      .meta({ title: 'Format', description: 'mp4 and webm keep the picture, mp3 and wav are the sound alone. Default: mp4 where there is a picture, else mp3; extract mp3.' })
      .optional(),
    loudness: z.number().min(-40).max(-5).default(-16).meta({ title: 'Loudness', description: 'LUFS, for normalise.' }),
    volume: z.number().min(0).max(4).default(1).meta({ title: 'Volume', description: 'Of the sound that is there, for mix: 1 as it is.' }),
    audioVolume: z.number().min(0).max(4).default(1).meta({ title: 'Volume of the other sound', description: 'For mix and replace: 1 as it is.' }),
    quality: qualityField.default('medium'),
  })
  .refine(({ operation, audioUrl }) => audioUrl !== undefined || !withSecond.some((each) => each === operation), {
    path: ['audioUrl'],
    error: 'is required for mix and replace',
  })
  // States the refinement in the published schema, because zod cannot derive it.
  .meta({ anyOf: [{ properties: { operation: { enum: ['extract', 'normalise'] } } }, { required: ['audioUrl'] }] });

export const analysisInput = z.strictObject({
  sourceUrl: mediaSource,
  sceneThreshold: z.number().min(1).max(100).default(10).meta({ title: 'Change of scene', description: 'By how much the picture has to change, in percent.' }),
  silenceLevel: z.number().min(-90).max(-10).default(-50).meta({ title: 'Silence', description: 'Below how many dB it is silent.' }),
  silenceSeconds: z.number().min(0.1).max(60).default(1).meta({ title: 'Shortest silence', description: 'Seconds.' }),
  blackSeconds: z.number().min(0.1).max(60).default(0.5).meta({ title: 'Shortest black part', description: 'Seconds.' }),
  freezeSeconds: z.number().min(0.5).max(60).default(2).meta({ title: 'Shortest frozen part', description: 'Seconds.' }),
  thumbnails: z.int().min(1).max(100).default(16).meta({ title: 'Thumbnails', description: 'How many pictures the page of thumbnails has.' }),
});

export const voiceoverInput = z.strictObject({
  sourceUrl: mediaSource,
  subtitlesUrl: sourceField('SRT, WebVTT or JSON: each cue is spoken in its time.', 'Subtitles'),
  language: z
    .string()
    .max(35)
    .regex(/^[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*$/)
    .default('en')
    .meta({ title: 'Language', description: 'That is spoken, for example en or pt-BR.' }),
  voice: z
    .string()
    .regex(/^[A-Za-z0-9][\w.-]{0,99}$/)
    .meta({ title: 'Voice', description: "One of the engine's. Default: its usual one." })
    .optional(),
  volume: z.number().min(0).max(1).default(0.2).meta({ title: 'Volume of the film', description: 'Of its own sound under the voice: 1 as it is, 0 not at all.' }),
  format: z.enum(['mp4', 'webm']).default('mp4').meta({ title: 'Format', description: 'mp4: H.264 and AAC; webm: VP9 and Opus.' }),
  quality: qualityField.default('medium'),
});

/** VideoConduit's, whose old clients may send more than this, and null for what they leave out. */
export const previewFields = {
  sourceUrl: mediaSource,
  kind: z.enum(['poster', 'contactSheet', 'sprite', 'clip', 'waveform']).default('poster').meta({
    title: 'Kind',
    description:
      'poster: one picture. contactSheet: many on one page. sprite: many on one page, with a WebVTT that tells a player where each is. ' +
      'clip: a short part, without sound. waveform: a drawing of the sound.',
  }).nullish(),
  width: z.int().min(16).max(1920).meta({ title: 'Width', description: 'Pixels; of one picture where there are many. A smaller film is enlarged. Default: 640, waveform 1280, of many 160.' }).nullish(),
  at: z.number().min(0).max(6 * 3600).meta({ title: 'At', description: 'The second that poster shows, or at which clip begins. Default: one that shows something; a clip begins at a third.' }).nullish(),
  seconds: z.number().min(0.5).max(30).meta({ title: 'Length', description: 'Seconds of clip. Default: 3.' }).nullish(),
  columns: z.int().min(1).max(10).meta({ title: 'Columns', description: 'Of contactSheet and sprite. Default: 4; sprite 10.' }).nullish(),
  rows: z.int().min(1).max(20).meta({ title: 'Rows', description: 'Of contactSheet and sprite, at most. Default: 4; sprite 10.' }).nullish(),
};

export const fingerprintFields = {
  sourceUrl: mediaSource,
  frames: z.int().min(0).max(64).meta({ title: 'Frames', description: 'How many pictures of a video get a perceptual hash, at even distances. Default: 16.' }).nullish(),
};
