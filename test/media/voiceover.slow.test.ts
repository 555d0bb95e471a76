import { beforeAll, describe, expect, test } from 'vitest';
import { findSpeaker, type Speaker } from '../../src/worker/engines/speaker.ts';
import { createVoiceoverHandler } from '../../src/worker/handlers/media/voiceover.ts';
import { failureOf } from '../support/attempt.ts';
import { command, hasEspeak, standIn } from '../support/engines.ts';
import { clip, ffprobe, hasFfmpeg, loudnessOf, openStudio, type Studio } from '../support/media.ts';

const subtitles = 'WEBVTT\n\n00:01.000 --> 00:01.500\nhello\n\n00:02.000 --> 00:03.000\nlong,\nvery long\n\n00:03.000 --> 00:03.600\nbye\n';

/** Half a second for a word, three seconds for what is long: a tone. */
async function toneSpeaker(): Promise<Speaker> {
  const script = 'read text; case "$text" in "long, very long") d=3;; hello|bye) d=0.5;; *) exit 9;; esac; [ "$1" = de ] || exit 8; exec ffmpeg -v error -f lavfi -i sine=f=1000:d=$d -f wav pipe:1';
  return { setting: await command(script, '{language}'), name: 'command' };
}

describe.runIf(hasFfmpeg())('media/voiceover', () => {
  let film: Buffer;
  let tone: Buffer;
  beforeAll(async () => {
    film = await clip('-f lavfi -i color=blue:s=64x64:r=10:d=4 -f lavfi -i sine=f=300:d=4 -c:v libx264 -preset ultrafast -c:a aac -shortest', 'mp4');
    tone = await clip('-f lavfi -i sine=f=1000:d=0.5', 'wav');
  });

  async function spoken(studio: Studio, speaker: Speaker, options: Record<string, string | number> = {}, cues = subtitles) {
    const urls = await studio.serve({ 'film.mp4': film, subtitles: cues });
    return studio.made(createVoiceoverHandler(studio.media, speaker), studio.attempt({ sourceUrl: urls['film.mp4'] ?? '', subtitlesUrl: urls['subtitles'] ?? '', ...options }));
  }

  test('speaks each cue in its time over the film, which is turned down, and faster where there is less time', async () => {
    const studio = await openStudio();
    const { output, paths: [path = ''] } = await spoken(studio, await toneSpeaker(), { language: 'de', volume: 0.1 });
    expect(output).toMatchObject({ engine: 'command', cues: 3, hurried: 1, files: [{ filename: 'film-voiceover.mp4', videoCodec: 'h264', audioCodec: 'aac' }] });
    const { format, streams } = await ffprobe(path);
    expect(Number(format.duration)).toBeCloseTo(4, 0);
    expect(streams.map(({ codec_name }) => codec_name)).toEqual(['h264', 'aac']);
    const voice = (from: number, to: number) => loudnessOf(path, `atrim=${from}:${to},bandpass=f=1000:w=50`);
    for (const [from, to] of [[1, 1.5], [2, 3], [3, 3.5]] as const) expect(await voice(from, to)).toBeGreaterThan(-35);
    for (const [from, to] of [[0, 0.9], [1.55, 1.95]] as const) expect(await voice(from, to)).toBeLessThan(-45);
    // The film's own tone, by 20 dB.
    expect((await loudnessOf(path, 'bandpass=f=300:w=50'))).toBeLessThan(-38);
    expect(await studio.leftovers()).toEqual([]);
  });

  test('asks a server of the OpenAI shape for each cue, with the voice that is asked for', async () => {
    const studio = await openStudio();
    const server = await standIn(() => ({ body: tone }));
    const speaker: Speaker = { setting: { kind: 'http', url: server.url, model: 'tts', key: 'k' }, name: 'http' };
    const { output } = await spoken(studio, speaker, { voice: 'nova', format: 'webm' });
    expect(output).toMatchObject({ engine: 'http', hurried: 0, files: [{ videoCodec: 'vp9', audioCodec: 'opus' }] });
    expect(server.asked).toMatchObject([
      { path: '/v1/audio/speech', authorization: 'Bearer k', json: { model: 'tts', voice: 'nova', input: 'hello', response_format: 'wav' } },
      { json: { input: 'long, very long' } },
      { json: { input: 'bye' } },
    ]);
  });

  test('refuses subtitles that say nothing, and fails where the engine does', async () => {
    const studio = await openStudio();
    expect(await failureOf(spoken(studio, await toneSpeaker(), {}, 'WEBVTT\n'))).toMatchObject({ code: 'MEDIA_REFUSED', message: expect.stringContaining('nothing to say') });
    expect(await failureOf(spoken(studio, await toneSpeaker(), { language: 'fr' }))).toMatchObject({ code: 'ENGINE_FAILED' });
    expect(await studio.leftovers()).toEqual([]);
  });

  test('looks at the film before anything is spoken', async () => {
    const studio = await openStudio();
    const server = await standIn(() => ({ body: tone }));
    const { sound: sourceUrl = '', subtitles: subtitlesUrl = '' } = await studio.serve({ sound: tone, subtitles });
    const speaker: Speaker = { setting: { kind: 'http', url: server.url, model: null, key: null }, name: 'http' };
    const job = createVoiceoverHandler(studio.media, speaker)(studio.attempt({ sourceUrl, subtitlesUrl }));
    expect(await failureOf(job)).toMatchObject({ code: 'MEDIA_REFUSED', message: 'The source has no video. Use one that has.' });
    expect(server.asked).toEqual([]);
  });

  test('is spoken by what is configured, else by espeak-ng where that is, else by nobody', async () => {
    const setting = await command('exit 0');
    expect(await findSpeaker(setting)).toEqual({ setting, name: 'command' });
    expect(await findSpeaker(null, '/nowhere')).toBeNull();
  });

  test.skipIf(!hasEspeak())('is spoken by espeak-ng, and the output says so', async () => {
    const studio = await openStudio();
    const speaker = await findSpeaker(null);
    if (speaker === null) throw new Error('espeak-ng was not found');
    const { output, paths: [path = ''] } = await spoken(studio, speaker);
    expect(output).toMatchObject({ engine: 'espeak-ng', cues: 3 });
    expect(await loudnessOf(path)).toBeGreaterThan(-50);
  });
});
