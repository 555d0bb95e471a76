import { HandlerError } from '../handler.ts';
import type { MediaRun } from '../media/media.ts';
import { findProgram } from '../media/engine.ts';
import { runCommand } from './command.ts';
import { post } from './post.ts';
import type { EngineSetting } from './setting.ts';

/** What speaks, and what a result says of it. */
export interface Speaker {
  setting: EngineSetting;
  /** `espeak-ng`, `command` or `http`. */
  name: string;
}

export interface Voice {
  /** A language tag. */
  language: string;
  /** Null for the engine's usual one. */
  voice: string | null;
}

/** The engine that is configured, else espeak-ng where it is installed: a robot, but there at once. Null for none. */
export async function findSpeaker(setting: EngineSetting | null, searched = process.env['PATH'] ?? ''): Promise<Speaker | null> {
  if (setting !== null) return { setting, name: setting.kind };
  const program = await findProgram('espeak-ng', searched);
  return program === null ? null : { setting: { kind: 'command', program, parameters: ['--stdin', '--stdout', '-v', '{language}'] }, name: 'espeak-ng' };
}

/** Speaks a text. Resolves to a file of sound, in a form that ffmpeg reads. @throws HandlerError ENGINE_FAILED */
export async function speak(run: MediaRun, { setting }: Speaker, text: string, { language, voice }: Voice): Promise<Buffer> {
  const sound =
    setting.kind === 'command'
      ? await runCommand(run, { setting, values: { language, voice: voice ?? 'default' }, input: `${text}\n` })
      : await post({
          url: `${setting.url}/v1/audio/speech`,
          key: setting.key,
          body: { json: { model: setting.model ?? 'tts-1', input: text, voice: voice ?? 'alloy', response_format: 'wav' } },
          signal: run.signal,
          seconds: run.seconds,
        });
  if (sound.byteLength > 0) return sound;
  throw new HandlerError('ENGINE_FAILED', 'The engine of this server spoke nothing. Its operator has to look at it.', { retryable: false });
}
