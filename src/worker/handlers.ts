import type { BuiltInName } from '../jobs/types/built-in.ts';
import type { Engines } from './engines/open.ts';
import type { EngineSetting } from './engines/setting.ts';
import type { Speaker } from './engines/speaker.ts';
import type { BuiltIn } from './handler.ts';
import { createDemoHandler } from './handlers/demo.ts';
import { createDownloadHandler } from './handlers/download.ts';
import { createFingerprintHandler } from './handlers/fingerprint.ts';
import { createAnalysisHandler } from './handlers/media/analysis.ts';
import { createAudioHandler } from './handlers/media/audio.ts';
import { createConcatenateHandler } from './handlers/media/concatenate.ts';
import { createExportHandler } from './handlers/media/export.ts';
import { createPreviewHandler } from './handlers/media/preview.ts';
import { createSpeechHandler } from './handlers/media/transcribe.ts';
import { createTrimHandler } from './handlers/media/trim.ts';
import { createVoiceoverHandler } from './handlers/media/voiceover.ts';
import type { Media } from './media/media.ts';

/** A handler; or nothing, where what it needs is not there. */
type Able = BuiltIn | null;

interface Tools {
  /** BUILT_IN_TYPES. */
  builtInTypes: readonly BuiltInName[];
  maxArtifactBytes: number;
  /** Null where there is no ffmpeg. */
  media: Media | null;
  engines: Engines;
}

/** The job types that this process can execute itself. All others wait for external workers. */
export function builtInHandlers({ builtInTypes, maxArtifactBytes: maxBytes, media, engines }: Tools): ReadonlyMap<string, BuiltIn> {
  const speech = withSpeech(media, engines.transcribe, null);
  const all: Readonly<Record<BuiltInName, Able>> = {
    demo: { handle: createDemoHandler({ maxBytes }), writesTo: ['files'] },
    download: { handle: createDownloadHandler({ maxBytes }), writesTo: ['files'] },
    fingerprint: { handle: createFingerprintHandler({ maxBytes, media }), writesTo: media === null ? [] : ['scratch'] },
    preview: withMedia(createPreviewHandler, media),
    'media/export': withMedia(createExportHandler, media),
    'media/analysis': withMedia(createAnalysisHandler, media),
    'media/concatenate': withMedia(createConcatenateHandler, media),
    'media/trim': withMedia(createTrimHandler, media),
    'media/audio': withMedia(createAudioHandler, media),
    transcribe: speech,
    'media/transcribe': speech,
    'media/voiceover': withVoice(media, engines.speech),
    translate: engines.translate === null ? null : withSpeech(media, engines.transcribe, engines.translate),
  };
  return new Map(builtInTypes.flatMap((type): [string, BuiltIn][] => {
    const able = all[type];
    return able === null ? [] : [[type, able]];
  }));
}

function withMedia(create: (media: Media) => BuiltIn['handle'], media: Media | null): Able {
  return media === null ? null : { handle: create(media), writesTo: ['files', 'scratch'] };
}

function withSpeech(media: Media | null, listening: EngineSetting | null, translating: EngineSetting | null): Able {
  return media === null || listening === null ? null : { handle: createSpeechHandler(media, { transcribe: listening, translate: translating }), writesTo: ['files', 'scratch'] };
}

function withVoice(media: Media | null, speaker: Speaker | null): Able {
  return media === null || speaker === null ? null : { handle: createVoiceoverHandler(media, speaker), writesTo: ['files', 'scratch'] };
}

/** What each type needs of engines; those of media need ffmpeg, too. */
const enginesOf: Readonly<Partial<Record<BuiltInName, readonly (keyof Engines['missing'])[]>>> = {
  transcribe: ['transcribe'],
  'media/transcribe': ['transcribe'],
  translate: ['transcribe', 'translate'],
  'media/voiceover': ['speech'],
};

/**
 * The types that have no handler for want of something, each with what to do about it.
 *
 * @param noMedia what that is of ffmpeg; null where it is there
 */
export function missingEngines(
  { builtInTypes, engines }: Pick<Tools, 'builtInTypes' | 'engines'>,
  handlers: ReadonlyMap<string, BuiltIn>,
  noMedia: string | null,
): ReadonlyMap<string, string> {
  return new Map(builtInTypes.flatMap((type): [string, string][] => {
    if (handlers.has(type)) return [];
    const missing = [...(enginesOf[type] ?? []).map((use) => engines.missing[use]), noMedia].filter((each) => each !== null).join(' ');
    return missing === '' ? [] : [[type, missing]];
  }));
}
