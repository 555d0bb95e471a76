import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/json.ts';
import { createAnalysisHandler } from '../../src/worker/handlers/media/analysis.ts';
import { createAudioHandler } from '../../src/worker/handlers/media/audio.ts';
import { createExportHandler } from '../../src/worker/handlers/media/export.ts';
import { createSpeechHandler } from '../../src/worker/handlers/media/transcribe.ts';
import type { WatchedAttempt } from '../support/attempt.ts';
import { command } from '../support/engines.ts';
import { clip, hasFfmpeg, openStudio, usualClip } from '../support/media.ts';

async function complaintsOf(attempt: WatchedAttempt): Promise<string[]> {
  return (await attempt.logged()).filter(({ level }) => level === 'WARN' || level === 'ERROR').map(({ message }) => message);
}

describe.runIf(hasFfmpeg())("a job's log", () => {
  test('of work that went well has no warning: neither summaries, nor measures, nor what ffmpeg says each time', async () => {
    const studio = await openStudio();
    const urls = await studio.serve({ film: await usualClip(), jpeg: await clip('-f lavfi -i testsrc2=s=640x360 -frames:v 1 -pix_fmt yuvj420p', 'jpg'), wav: await clip('-f lavfi -i sine=d=1', 'wav') });
    const { film = '', jpeg = '', wav = '' } = urls;
    const jobs: [typeof createAudioHandler, JsonObject][] = [
      [createAnalysisHandler, { sourceUrl: film }],
      [createAnalysisHandler, { sourceUrl: jpeg }],
      [createAudioHandler, { sourceUrl: film, operation: 'normalise' }],
      [createExportHandler, { sourceUrl: film, outputs: [{ format: 'gif' }, { format: 'mp4' }, { format: 'webm' }], end: 1 }],
      [createExportHandler, { sourceUrl: jpeg, format: 'gif' }],
      [createExportHandler, { sourceUrl: wav, format: 'mp3' }],
    ];
    for (const [create, input] of jobs) {
      const attempt = studio.attempt(input);
      await studio.made(create(studio.media), attempt);
      expect(await complaintsOf(attempt)).toEqual([]);
    }
  });

  test('of a damaged film has what is wrong, as errors', async () => {
    const studio = await openStudio();
    const film = await usualClip();
    const middle = Math.floor(film.byteLength / 2);
    film.fill(0x55, middle, middle + 4_000);
    const { film: sourceUrl = '' } = await studio.serve({ film });
    const attempt = studio.attempt({ sourceUrl });
    await studio.made(createExportHandler(studio.media), attempt).catch(() => {});
    expect((await attempt.logged()).some(({ level, message }) => level === 'ERROR' && message.includes('[error]'))).toBe(true);
  });

  test('has what an engine says, whether it went well or not', async () => {
    const studio = await openStudio();
    const { film: sourceUrl = '' } = await studio.serve({ film: await usualClip() });
    for (const [ending, level] of [['exit 0', 'INFO'], ['exit 3', 'WARN']] as const) {
      const attempt = studio.attempt({ sourceUrl });
      const engine = await command(`echo 'the model is warm' >&2; echo 'progress 50' >&2; printf '1\\n00:00:00,000 --> 00:00:01,000\\nHello.\\n'; ${ending}`);
      await studio.made(createSpeechHandler(studio.media, { transcribe: engine, translate: null }), attempt).catch(() => {});
      const lines = (await attempt.logged()).map(({ level: at, message }) => `${at} ${message}`);
      expect(lines).toContain(`${level} the model is warm`);
      expect(lines.join('\n')).not.toContain('progress 50');
    }
  });
});
