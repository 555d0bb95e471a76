import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Attempt, HandlerError } from '../handler.ts';
import type { MediaEngine } from './engine.ts';
import { failureOf, tooLargeOutput } from './failures.ts';
import { ffmpegOptions, inputOptions, type MediaLimits, mediaLimits, programOptions, type SourceKind, threadOptions } from './limits.ts';
import { readProbed } from './probe.ts';
import type { Probed } from './probed.ts';
import { type Ended, type ProgramOptions, runProgram } from './program.ts';
import { ProgramLog } from './program-log.ts';
import type { Scratch } from './scratch.ts';

/** Bytes of what a program may say on its standard output. */
const maxWords = 64 * 1024 ** 2;

/** Lines of an engine's standard error that the job's log gets. */
const engineLines = 20;

/** One run of ffmpeg. */
export interface Run {
  /** In the folder. */
  inputs: readonly { name: string; kind?: SourceKind; options?: readonly string[] }[];
  /** Options that concern all outputs, such as a complex filter. */
  filters?: readonly string[];
  outputs: readonly Output[];
  /** What it is to people, for example "The export". */
  what: string;
  /** Seconds of what is made, for the percentage; null if unknown. */
  seconds: number | null;
  onPercentage?: (percentage: number) => void;
  /** Told of each line that ffmpeg logs, down to information. */
  onLine?: (line: string) => void;
  /** Told of what is written to `pipe:1`. */
  onOutput?: (chunk: Buffer) => void;
}

export interface Output {
  options: readonly string[];
  /** In the folder; or `pipe:1`, or `-` for the muxer `null`. */
  name: string;
}

/** ffmpeg and ffprobe, for one attempt in one folder. */
export class MediaRun {
  readonly #media: Media;
  readonly #attempt: Attempt;
  readonly folder: string;

  constructor(media: Media, attempt: Attempt, folder: string) {
    this.#media = media;
    this.#attempt = attempt;
    this.folder = folder;
  }

  /** Aborts when the attempt is to end. */
  get signal(): AbortSignal {
    return this.#attempt.signal;
  }

  /** That one program may take. */
  get seconds(): number {
    return this.#media.limits.runSeconds;
  }

  /** Whether this ffmpeg makes prints of sound. */
  get hasChromaprint(): boolean {
    return this.#media.engine.hasChromaprint;
  }

  /**
   * What a source in the folder is.
   *
   * @param called what it is to whoever named it
   * @throws HandlerError MEDIA_REFUSED for what is no media, in no container that is read, or beyond the limits
   */
  async probe(name: string, called = 'The source'): Promise<Probed> {
    const { probed, log, tooLarge } = await this.#look(name, 'media');
    const size = probed === null || probed.video.length === 0 ? tooLarge : null;
    const { maxPixels } = this.#media.limits;
    if (size !== null) throw refused(called, `has a picture of ${size} pixels, more than ${maxPixels / 1_000_000} million, the limit`);
    if (probed !== null) return this.#withinLimits(probed, called);
    log.tell(this.#attempt.log);
    throw refused(called, 'is no video, audio or picture in a format that is read here');
  }

  /** Whether a file of the folder is subtitles, of which there may be none. */
  async hasSubtitles(name: string): Promise<boolean> {
    const { probed, log } = await this.#look(name, 'captions');
    if (probed === null) log.tell(this.#attempt.log);
    return probed !== null && probed.subtitles.length > 0;
  }

  /** What a file of our own making is. @throws HandlerError MEDIA_FAILED if it cannot be read */
  async probeResult(name: string): Promise<Probed> {
    const { probed, log } = await this.#look(name, 'result');
    if (probed !== null && probed.video.length + probed.audio.length > 0) return probed;
    log.tell(this.#attempt.log);
    throw new HandlerError('MEDIA_FAILED', 'What was made of the source has neither picture nor sound. Ask for another part, size or format; the job\'s log has what ffmpeg says.', { retryable: false });
  }

  async #look(name: string, kind: SourceKind): Promise<{ probed: Probed | null; log: ProgramLog; tooLarge: string | null }> {
    const { engine, limits } = this.#media;
    const said = collector();
    const log = new ProgramLog();
    const ended = await this.#start(engine.ffprobe, {
      parameters: [...programOptions, '-v', 'level+error', ...inputOptions(kind, limits), '-print_format', 'json', '-show_format', '-show_streams', `file:${name}`],
      seconds: limits.probeSeconds,
      onLine: (line) => log.take(line),
      onOutput: said.take,
    });
    return { probed: ended.code === 0 ? readProbed(said.all()) : null, log, tooLarge: tooLargePicture(ended.log) };
  }

  /** @throws HandlerError MEDIA_FAILED, MEDIA_TIMEOUT, OUTPUT_TOO_LARGE; ScratchFullError */
  async ffmpeg({ inputs, filters = [], outputs, what, seconds, onPercentage, onLine, onOutput }: Run): Promise<void> {
    const { engine, limits, maxBytes } = this.#media;
    const log = new ProgramLog();
    const ended = await this.#start(engine.ffmpeg, {
      parameters: [
        ...ffmpegOptions,
        '-loglevel', onLine === undefined ? 'level+warning' : 'level+info',
        '-progress', 'pipe:3', '-stats_period', '0.25',
        ...inputs.flatMap(({ name, kind = 'media', options = [] }) => [...inputOptions(kind, limits), ...(kind === 'media' ? threadOptions : []), ...options, '-i', `file:${name}`]),
        ...filters,
        ...outputs.flatMap(({ options, name }) => [...options, ...threadOptions, '-map_metadata', '-1', '-fs', String(maxBytes), isStream(name) ? name : `file:${name}`]),
      ],
      seconds: limits.runSeconds,
      ...(seconds !== null && onPercentage !== undefined && { onProgress: percentageReader(seconds, onPercentage) }),
      onLine: (line) => {
        log.take(line);
        onLine?.(line);
      },
      ...(onOutput !== undefined && { onOutput }),
    });
    log.tell(this.#attempt.log);
    if (ended.code !== 0) throw failureOf(ended, what);
    for (const { name } of outputs) {
      if (isStream(name)) continue;
      // Reaching its limit, ffmpeg ends as if all were well.
      const { size } = await stat(join(this.folder, name));
      if (size >= maxBytes) throw tooLargeOutput(maxBytes);
    }
  }

  /** Runs ffprobe, and tells of each line that it answers. */
  async ask(name: string, parameters: readonly string[], onAnswer: (line: string) => void): Promise<void> {
    const { engine, limits } = this.#media;
    const said = collector();
    const log = new ProgramLog();
    const ended = await this.#start(engine.ffprobe, {
      parameters: [...programOptions, '-v', 'level+error', ...inputOptions('media', limits), ...parameters, `file:${name}`],
      seconds: limits.runSeconds,
      onLine: (line) => log.take(line),
      onOutput: said.take,
    });
    if (ended.code !== 0) {
      log.tell(this.#attempt.log);
      throw failureOf(ended, 'Reading the source');
    }
    for (const line of said.all().toString('utf8').split('\n')) onAnswer(line);
  }

  /**
   * Runs a program of the operator's choice in the folder, with as much memory as it wants. The end of its standard error is for the job's log.
   *
   * @param options.takes told of each line of that; true for one that is not for the log
   */
  async engine(program: string, { takes, ...options }: { parameters: readonly string[]; input?: string; takes: (line: string) => boolean }): Promise<{ ended: Ended; output: Buffer }> {
    const said = collector();
    const lines: string[] = [];
    const onLine = (line: string) => {
      if (takes(line) || line.trim() === '') return;
      lines.push(line);
      if (lines.length > engineLines) lines.shift();
    };
    const ended = await this.#start(program, { ...options, seconds: this.seconds, unboundedMemory: true, onLine, onOutput: said.take });
    for (const line of lines) this.#attempt.log[ended.code === 0 ? 'info' : 'warn'](line);
    return { ended, output: said.all() };
  }

  #start(program: string, options: { parameters: readonly string[]; seconds: number } & Pick<ProgramOptions, 'onProgress' | 'onLine' | 'onOutput' | 'input' | 'unboundedMemory'>) {
    const { parameters, ...others } = options;
    return runProgram(program, parameters, { ...others, folder: this.folder, signal: this.#attempt.signal });
  }

  #withinLimits(probed: Probed, called: string): Probed {
    const { maxPixels, maxSeconds } = this.#media.limits;
    if (probed.seconds !== null && probed.seconds > maxSeconds) throw refused(called, `is longer than ${maxSeconds / 3600} hours, the limit`);
    if (probed.video.some(({ width, height }) => width * height > maxPixels)) throw refused(called, `has a picture of more than ${maxPixels / 1_000_000} million pixels, the limit`);
    if (probed.video.length === 0 && probed.audio.length === 0 && probed.subtitles.length === 0) throw refused(called, 'holds neither picture nor sound that can be read here');
    return probed;
  }
}

/** ffmpeg, where there is room to work, and what bounds it. */
export class Media {
  readonly engine: MediaEngine;
  readonly limits: MediaLimits;
  /** Of a source, and of a result. */
  readonly maxBytes: number;
  readonly #scratch: Scratch;

  constructor({ engine, scratch, maxBytes, limits = mediaLimits }: { engine: MediaEngine; scratch: Scratch; maxBytes: number; limits?: MediaLimits }) {
    this.engine = engine;
    this.maxBytes = maxBytes;
    this.limits = limits;
    this.#scratch = scratch;
  }

  /** Works in a folder that is gone afterwards, however it ends. */
  within<Made>(attempt: Attempt, work: (run: MediaRun) => Promise<Made>): Promise<Made> {
    return this.#scratch.within((folder) => work(new MediaRun(this, attempt, folder)));
  }
}

function isStream(name: string): boolean {
  return name === '-' || name.startsWith('pipe:');
}

function refused(called: string, why: string): HandlerError {
  return new HandlerError('MEDIA_REFUSED', `${called} ${why}. Use another one.`, { retryable: false });
}

/** The size, for example 7000x7000, of a picture that ffmpeg does not look at because of `-max_pixels`, or its own bound: it leaves it out of its answer. */
function tooLargePicture(log: readonly string[]): string | null {
  for (const line of log) {
    const [, size = null] = /Picture size (\d+x\d+) (?:exceeds specified max pixel count|is invalid)/.exec(line) ?? [];
    if (size !== null) return size;
  }
  return null;
}

/** Of what is made, by ffmpeg's word about itself (`-progress`). */
function percentageReader(seconds: number, onPercentage: (percentage: number) => void): (line: string) => void {
  return (line) => {
    const microseconds = Number(/^out_time_us=(\d+)$/.exec(line)?.[1]);
    if (Number.isFinite(microseconds)) onPercentage(Math.min(100, microseconds / seconds / 10_000));
  };
}

/** @throws HandlerError, within `take`, for more than a program of ours ever says */
function collector() {
  const chunks: Buffer[] = [];
  let bytes = 0;
  return {
    take: (chunk: Buffer) => {
      bytes += chunk.byteLength;
      if (bytes > maxWords) throw refused('The source', 'has more frames than can be listed');
      chunks.push(chunk);
    },
    all: () => Buffer.concat(chunks),
  };
}
