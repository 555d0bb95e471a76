import { openAsBlob } from 'node:fs';
import { join } from 'node:path';
import { FormData } from 'undici';
import { HandlerError } from '../handler.ts';
import type { MediaRun } from '../media/media.ts';
import { readSubtitles } from '../subtitles/read.ts';
import type { Subtitles } from '../subtitles/subtitles.ts';
import { runCommand } from './command.ts';
import { post } from './post.ts';
import type { EngineSetting } from './setting.ts';

interface Speech {
  /** In the folder: what ffmpeg reads. */
  name: string;
  /** Which of its streams. */
  index: number;
  /** That is spoken; null to have it detected. */
  language: string | null;
  /** translate: into English, as such engines do by themselves. */
  task: 'transcribe' | 'translate';
}

/** What engines hear best: one channel at 16 kHz. */
const heard = ['-ac', '1', '-ar', '16000'];

/** Writes down what is said. @throws HandlerError ENGINE_FAILED */
export async function transcribe(run: MediaRun, setting: EngineSetting, speech: Speech, onPercentage: (percentage: number) => void): Promise<Subtitles> {
  const { language, task } = speech;
  if (setting.kind === 'command') {
    const audio = await soundFile(run, speech, ['-c:a', 'pcm_s16le', '-f', 'wav'], 'speech.wav');
    const output = await runCommand(run, { setting, values: { audio, language: language ?? 'auto', task }, onPercentage });
    return understood(output, language);
  }
  // Many servers take no more than 25 MB: over an hour of this.
  const audio = await soundFile(run, speech, ['-c:a', 'libmp3lame', '-b:a', '48k', '-f', 'mp3'], 'speech.mp3');
  const form = new FormData();
  form.append('file', await openAsBlob(join(run.folder, audio), { type: 'audio/mpeg' }), audio);
  form.append('model', setting.model ?? 'whisper-1');
  form.append('response_format', 'verbose_json');
  for (const granularity of ['segment', 'word']) form.append('timestamp_granularities[]', granularity);
  if (language !== null) form.append('language', language);
  const path = task === 'translate' ? 'translations' : 'transcriptions';
  return understood(await post({ url: `${setting.url}/v1/audio/${path}`, key: setting.key, body: { form }, signal: run.signal, seconds: run.seconds }), language);
}

async function soundFile(run: MediaRun, { name, index }: Speech, encoding: readonly string[], made: string): Promise<string> {
  await run.ffmpeg({ inputs: [{ name }], outputs: [{ options: ['-map', `0:${index}`, ...heard, ...encoding], name: made }], what: 'Taking out the sound', seconds: null });
  return made;
}

function understood(answer: Buffer, language: string | null): Subtitles {
  const subtitles = readSubtitles(answer.toString('utf8'));
  if (subtitles !== null) return { ...subtitles, language: subtitles.language ?? language };
  throw new HandlerError('ENGINE_FAILED', 'The engine of this server answered with what is neither SRT, WebVTT nor a transcription in JSON. Its operator has to look at it.', { retryable: false });
}
