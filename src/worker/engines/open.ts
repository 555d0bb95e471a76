import { isAbsolute } from 'node:path';
import type { Log } from '../../log.ts';
import { findProgram, isProgram } from '../media/engine.ts';
import type { EngineSetting } from './setting.ts';
import { findSpeaker, type Speaker } from './speaker.ts';

interface EngineSettings {
  transcribe: EngineSetting | null;
  translate: EngineSetting | null;
  speech: EngineSetting | null;
}

/** What can be worked with; null where nothing is. */
export interface Engines {
  transcribe: EngineSetting | null;
  translate: EngineSetting | null;
  speech: Speaker | null;
  /** What to do about each that is not there, as a sentence for whoever creates such a job. */
  missing: Readonly<Record<keyof EngineSettings, string | null>>;
}

const uses = {
  transcribe: { does: 'writes down what is said', variable: 'TRANSCRIBE_ENGINE', otherwise: '' },
  translate: { does: 'translates', variable: 'TRANSLATE_ENGINE', otherwise: '' },
  speech: { does: 'speaks', variable: 'SPEECH_ENGINE', otherwise: ', or install espeak-ng' },
} as const;

/**
 * Looks whether the programs of engines are there; a server is asked only when there is work. Never rejects: without an engine, its jobs
 * are left to others.
 *
 * @param works whether this process executes jobs
 */
export async function openEngines(settings: EngineSettings, { works, log, searched = process.env['PATH'] ?? '' }: { works: boolean; log: Log; searched?: string }): Promise<Engines> {
  const look = async (use: keyof EngineSettings): Promise<{ setting: EngineSetting | null; absent: string | null }> => {
    const setting = settings[use];
    if (setting?.kind !== 'command' || (await isThere(setting.program, searched))) return { setting, absent: null };
    const { variable } = uses[use];
    if (works) log.warn({ variable, program: setting.program }, 'the program of an engine is not there, or may not be executed: its jobs wait for other workers');
    return { setting: null, absent: `The program that ${variable} names is not on this server, or may not be executed. Name it with its absolute path, and start the worker again.` };
  };
  const transcribe = await look('transcribe');
  const translate = await look('translate');
  const speech = await look('speech');
  // A robot does not step in unasked for what was configured.
  const speaker = speech.absent === null ? await findSpeaker(speech.setting, searched) : null;
  return {
    transcribe: transcribe.setting,
    translate: translate.setting,
    speech: speaker,
    missing: {
      transcribe: transcribe.absent ?? (transcribe.setting === null ? unnamed('transcribe') : null),
      translate: translate.absent ?? (translate.setting === null ? unnamed('translate') : null),
      speech: speech.absent ?? (speaker === null ? unnamed('speech') : null),
    },
  };
}

/** Engines work in a folder of their own, so that only an absolute path, or a name in the PATH, leads to one. */
async function isThere(program: string, searched: string): Promise<boolean> {
  if (program.includes('/')) return isAbsolute(program) && (await isProgram(program));
  return (await findProgram(program, searched)) !== null;
}

function unnamed(use: keyof EngineSettings): string {
  const { does, variable, otherwise } = uses[use];
  return `This server has no engine that ${does}. Name one in ${variable}${otherwise} (the README says how), and start the worker again.`;
}
