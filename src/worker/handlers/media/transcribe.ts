import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type Handler, HandlerError } from '../../handler.ts';
import type { EngineSetting } from '../../engines/setting.ts';
import { transcribe } from '../../engines/transcriber.ts';
import { translate } from '../../engines/translator.ts';
import type { Media, MediaRun } from '../../media/media.ts';
import { firstAudio } from '../../media/probe.ts';
import { percentagesOf, stageOf } from '../../media/stages.ts';
import { fitted } from '../../subtitles/fit.ts';
import { plainText, type Subtitles } from '../../subtitles/subtitles.ts';
import { subtitleFormats, subtitleMediaTypes, written } from '../../subtitles/write.ts';
import { type MadeFile, mediaHandler, renamed } from './frame.ts';

/** It becomes a parameter of a program, so it must not look like an option. RevidAPI says of no form; empty is none. */
const languageField = z.string().max(100).regex(/^(?:[A-Za-z][\w -]*)?$/).nullish();

/** What `transcribe`, `translate` and `media/transcribe` take; old clients send more. */
const speechInput = z.looseObject({
  sourceUrl: z.string().nullish(),
  media_url: z.string().nullish(),
  language: languageField,
  task: z.enum(['transcribe', 'translate']).nullish(),
  targetLanguage: languageField,
});

/** Of the list in the output, which is bounded as a whole: the file has all. */
const mostSegments = 2_000;

interface SpeechEngines {
  transcribe: EngineSetting;
  /** Null for jobs that translate nothing. */
  translate: EngineSetting | null;
}

/**
 * `transcribe` and `media/transcribe`: what is said, as text and as subtitles; and `translate`: the same in another language. The files
 * are SRT (the main one), WebVTT, ASS and JSON, which alone has the words.
 */
export function createSpeechHandler(media: Media, engines: SpeechEngines): Handler {
  return mediaHandler(media, speechInput, async ({ input, run, working, bring }) => {
    const sourceUrl = input.media_url ?? input.sourceUrl;
    if (sourceUrl == null) throw new HandlerError('SOURCE_REFUSED', 'The input has no sourceUrl. Send one.', { retryable: false });
    const filename = await bring([{ url: sourceUrl, name: 'source' }]);
    const sound = firstAudio(await run.probe('source'));
    working.report({ step: 'listening', message: null, percentage: 0 });
    const half = engines.translate === null ? 100 : 60;
    const speech = { name: 'source', index: sound.index, language: input.language || null, task: input.task ?? 'transcribe' } as const;
    const heard = await transcribe(run, engines.transcribe, speech, percentagesOf(stageOf(working, 0, half)));
    const said = engines.translate === null ? heard : await inLanguage(run, engines.translate, heard, input.targetLanguage || 'en', () => working.report({ step: 'translating' }), percentagesOf(stageOf(working, half, 100)));
    const files = await filesOf(run, said, filename);
    const segments = said.cues.slice(0, mostSegments).map(({ start, end, text }) => ({ start, end, text }));
    return { output: { sourceUrl, language: said.language, text: plainText(said), segments, ...(engines.translate !== null && { sourceLanguage: heard.language }) }, files };
  });
}

async function inLanguage(run: MediaRun, setting: EngineSetting, { language, cues }: Subtitles, target: string, onBegin: () => void, onPercentage: (percentage: number) => void): Promise<Subtitles> {
  onBegin();
  const texts = await translate(run, setting, { texts: cues.map(({ text }) => text), source: language, target }, onPercentage);
  // When each word is said is known of the original alone.
  return { language: target, cues: cues.map(({ start, end }, index) => ({ start, end, text: texts[index] ?? '', words: [] })) };
}

async function filesOf(run: MediaRun, subtitles: Subtitles, filename: string): Promise<MadeFile[]> {
  const shown = fitted(subtitles);
  const files: MadeFile[] = [];
  for (const format of subtitleFormats) {
    const path = `subtitles.${format}`;
    await writeFile(join(run.folder, path), written(format === 'json' ? subtitles : shown, format));
    files.push({ path, name: format, filename: renamed(filename, '', format), mediaType: subtitleMediaTypes[format] });
  }
  return files;
}
