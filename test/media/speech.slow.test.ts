import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { readEngine, type EngineSetting } from '../../src/worker/engines/setting.ts';
import { createSpeechHandler } from '../../src/worker/handlers/media/transcribe.ts';
import { failureOf } from '../support/attempt.ts';
import { command, standIn } from '../support/engines.ts';
import { clip, hasFfmpeg, openStudio, type Studio } from '../support/media.ts';

const heard = {
  task: 'transcribe',
  language: 'en',
  text: 'Hello there. General.',
  segments: [
    { id: 0, start: 0, end: 1, text: ' Hello there.', words: [{ word: 'Hello', start: 0, end: 0.4 }, { word: 'there.', start: 0.5, end: 1 }] },
    { id: 1, start: 1.2, end: 2, text: ' General.' },
  ],
};

const srt = '1\n00:00:00,000 --> 00:00:01,000\nHello there.\n\n2\n00:00:01,200 --> 00:00:02,000\nGeneral.\n';

test.each([
  ['command:/usr/bin/whisper.sh {audio} -l {language}', { kind: 'command', program: '/usr/bin/whisper.sh', parameters: ['{audio}', '-l', '{language}'] }],
  ['http:https://api.openai.com?model=whisper-1', { kind: 'http', url: 'https://api.openai.com', model: 'whisper-1', key: 'k' }],
  ['http:http://localhost:8080/base/', { kind: 'http', url: 'http://localhost:8080/base', model: null, key: 'k' }],
  ['libretranslate:http://localhost:5000', { kind: 'libretranslate', url: 'http://localhost:5000', model: null, key: 'k' }],
  ['https://api.openai.com', null],
  ['command:', null],
])('the setting %s is understood', (text, engine) => {
  expect(readEngine(text, 'k')).toEqual(engine);
});

function handler(studio: Studio, transcribe: EngineSetting, translate: EngineSetting | null = null) {
  return createSpeechHandler(studio.media, { transcribe, translate });
}

describe.runIf(hasFfmpeg())('speech', () => {
  let film: Buffer;
  beforeAll(async () => {
    film = await clip('-f lavfi -i testsrc2=s=64x64:r=5:d=2 -f lavfi -i sine=d=2 -c:v libx264 -preset ultrafast -c:a aac', 'mp4');
  });

  async function attempt(studio: Studio, input: Record<string, string | null> = {}) {
    const { 'talk.mp4': sourceUrl } = await studio.serve({ 'talk.mp4': film });
    return studio.attempt({ sourceUrl: sourceUrl ?? '', ...input });
  }

  test('is written down by a server of the OpenAI shape, as text, subtitles and words', async () => {
    const studio = await openStudio();
    const server = await standIn(() => ({ body: heard }));
    const setting: EngineSetting = { kind: 'http', url: server.url, model: 'large', key: 'secret' };
    const { output, names, paths } = await studio.made(handler(studio, setting), await attempt(studio, { language: 'en' }));
    const [asked] = server.asked;
    expect(asked).toMatchObject({ path: '/v1/audio/transcriptions', authorization: 'Bearer secret' });
    const { file, ...fields } = Object.fromEntries(asked?.form ?? []);
    expect(fields).toMatchObject({ model: 'large', response_format: 'verbose_json', language: 'en' });
    expect(file).toMatchObject({ name: 'speech.mp3', type: 'audio/mpeg' });
    expect(output).toMatchObject({ language: 'en', text: 'Hello there. General.', segments: [{ start: 0, text: 'Hello there.' }, { start: 1.2, text: 'General.' }] });
    expect(names).toEqual(['srt', 'vtt', 'ass', 'json']);
    expect(await readFile(paths[0] ?? '', 'utf8')).toBe(srt.replace('00:00:02,000', '00:00:02,200'));
    expect(JSON.parse(await readFile(paths[3] ?? '', 'utf8')).cues[0].words).toEqual([{ start: 0, end: 0.4, text: 'Hello' }, { start: 0.5, end: 1, text: 'there.' }]);
    expect(await studio.leftovers()).toEqual([]);
  });

  test('is written down by a command, which hears 16 kHz, says how far it is, and sees none of our environment', async () => {
    const studio = await openStudio();
    const engine = await command(`[ -f "$1" ] && [ "$2" = auto ] && [ "$3" = translate ] && [ -z "$TEST_BACKEND" ] || exit 9; echo "progress 50" >&2; cat <<END\n${srt}\nEND`, '{audio}', '{language}', '{task}');
    const job = await attempt(studio, { task: 'translate', language: null });
    const { output } = await studio.made(handler(studio, engine), job);
    expect(output).toMatchObject({ text: 'Hello there. General.', language: null });
    expect(job.reports.map(({ percentage }) => percentage)).toContain(57);
  });

  test('in a language that looks like an option of a program is refused', async () => {
    const studio = await openStudio();
    const engine = await command('exit 0', '{language}');
    expect(await failureOf(handler(studio, engine)(await attempt(studio, { language: '--model=/etc/passwd' })))).toMatchObject({ code: 'INPUT_REFUSED', retryable: false });
  });

  test('is translated, cue by cue, by a chat, by LibreTranslate or by a command', async () => {
    const studio = await openStudio();
    const listening = await command(`cat <<END\n${JSON.stringify(heard)}\nEND`);
    const german = { texts: ['Hallo.', 'Allgemein.'] };
    const chat = await standIn(() => ({ body: { choices: [{ message: { role: 'assistant', content: `\`\`\`json\n${JSON.stringify(german)}\n\`\`\`` } }] } }));
    const libre = await standIn(() => ({ body: { translatedText: german.texts } }));
    const engines: EngineSetting[] = [
      { kind: 'http', url: chat.url, model: null, key: null },
      { kind: 'libretranslate', url: libre.url, model: null, key: 'k' },
      await command(`[ "$1" = de ] && grep -q '"texts":\\["Hello there\\.","General\\."\\],"source":"en","target":"de"' && echo '${JSON.stringify(german)}'`, '{target}'),
    ];
    for (const engine of engines) {
      const { output } = await studio.made(handler(studio, listening, engine), await attempt(studio, { targetLanguage: 'de' }));
      expect(output).toMatchObject({ language: 'de', sourceLanguage: 'en', text: 'Hallo. Allgemein.', segments: [{ start: 0, end: 1, text: 'Hallo.' }, { start: 1.2 }] });
    }
    expect(chat.asked[0]).toMatchObject({ path: '/v1/chat/completions', json: { messages: [{ role: 'system' }, { role: 'user', content: '{"texts":["Hello there.","General."]}' }] } });
    expect(libre.asked[0]).toMatchObject({ path: '/translate', json: { q: ['Hello there.', 'General.'], source: 'en', target: 'de', format: 'text', api_key: 'k' } });
  });

  test.each<[string, boolean, () => Promise<EngineSetting>]>([
    ['a command that asks to be tried again', true, () => command('exit 75')],
    ['a command that fails', false, () => command('echo "no model" >&2; exit 1')],
    ['a command that says nothing of use', false, () => command('echo hello')],
    ['a program that is not there', false, async () => ({ kind: 'command', program: '/nowhere/engine', parameters: [] })],
    ['a busy server', true, async () => ({ kind: 'http', url: (await standIn(() => ({ status: 503, body: '{}' }))).url, model: null, key: null })],
    ['a server that refuses', false, async () => ({ kind: 'http', url: (await standIn(() => ({ status: 401, body: '{}' }))).url, model: null, key: null })],
    ['a server that is not there', true, async () => ({ kind: 'http', url: 'http://127.0.0.1:1', model: null, key: null })],
  ])('%s fails the attempt (to be tried again: %s), and nothing of it is shown but its log', async (_, retryable, engine) => {
    const studio = await openStudio();
    expect(await failureOf(handler(studio, await engine())(await attempt(studio)))).toMatchObject({ code: 'ENGINE_FAILED', retryable });
    expect(await studio.leftovers()).toEqual([]);
    expect(await studio.programs()).toEqual([]);
  });
});
