import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { ResultFiles } from '../../src/files/result-files.ts';
import { DiskStore } from '../../src/files/stores/disk/disk-store.ts';
import type { JsonObject, JsonValue } from '../../src/json.ts';
import { parseOutboundAllow } from '../../src/outbound/addresses.ts';
import { createOutboundFetch } from '../../src/outbound/fetch.ts';
import type { Handler } from '../../src/worker/handler.ts';
import { findMediaEngine } from '../../src/worker/media/engine.ts';
import { type MediaLimits, mediaLimits } from '../../src/worker/media/limits.ts';
import { Media } from '../../src/worker/media/media.ts';
import { Scratch } from '../../src/worker/media/scratch.ts';
import { type AttemptOptions, makeAttempt, type WatchedAttempt } from './attempt.ts';

const workspaceId = '0198c0de-0000-7000-8000-000000000001';

/** Whether there is ffmpeg here. CI requires it. */
export function hasFfmpeg(): boolean {
  if (spawnSync('ffmpeg', ['-version']).status === 0 && spawnSync('ffprobe', ['-version']).status === 0) return true;
  if (process.env['CI'] === 'true') throw new Error('CI needs ffmpeg and ffprobe in the PATH. Install the package ffmpeg.');
  process.stderr.write('No ffmpeg in the PATH: the scenarios with media are left out. Install it to run them.\n');
  return false;
}

/** Makes a small file with ffmpeg, for example of `-f lavfi -i testsrc2`. */
export async function clip(parameters: string, extension: string): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-clip-'));
  try {
    const path = join(folder, `clip.${extension}`);
    await ffmpeg([...parameters.split(' '), path]);
    return await readFile(path);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Four seconds of a picture that moves, and a tone. */
export function usualClip(): Promise<Buffer> {
  return clip('-f lavfi -i testsrc2=s=320x180:r=25:d=4 -f lavfi -i sine=frequency=440:d=4 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac -shortest', 'mp4');
}

export async function ffmpeg(parameters: readonly string[]): Promise<Buffer> {
  const { stdout } = await promisify(execFile)('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...parameters], { encoding: 'buffer', maxBuffer: 64 * 1024 ** 2 });
  return stdout;
}

export interface Seen {
  format: { format_name: string; duration?: string; size: string };
  streams: { codec_type: string; codec_name: string; width?: number; height?: number; avg_frame_rate: string; channels?: number }[];
}

/** What ffprobe says of a file, told apart from what Longhaul says. */
export async function ffprobe(path: string): Promise<Seen> {
  const { stdout } = await promisify(execFile)('ffprobe', ['-v', 'error', '-print_format', 'json', '-show_format', '-show_streams', path]);
  return JSON.parse(stdout);
}

/** The greys of the pixels of a picture, or of a video's frame: 0 to 255. */
export async function greysOf(path: string, { at = 0, crop = '' } = {}): Promise<{ darkest: number; lightest: number }> {
  const filters = [...(crop === '' ? [] : [`crop=${crop}`]), 'format=gray'].join(',');
  const pixels = await ffmpeg(['-ss', String(at), '-i', path, '-frames:v', '1', '-vf', filters, '-f', 'rawvideo', 'pipe:1']);
  if (pixels.byteLength === 0) throw new Error(`${path} has no frame at ${at} s`);
  return { darkest: pixels.reduce((one, other) => Math.min(one, other)), lightest: pixels.reduce((one, other) => Math.max(one, other)) };
}

/** LUFS of a file, as ffmpeg measures it. @param filter what is measured of it */
export async function loudnessOf(path: string, filter = 'anull'): Promise<number> {
  const { stderr } = await promisify(execFile)('ffmpeg', ['-hide_banner', '-nostats', '-i', path, '-af', `${filter},ebur128`, '-f', 'null', '-']);
  return Number(/I: +(-?[\d.]+) LUFS\s+Threshold/.exec(stderr.slice(stderr.lastIndexOf('Summary')))?.[1]);
}

/** Where handlers of media work, and a server for their sources. All of it is gone after the test. */
export interface Studio {
  media: Media;
  /** Serves these files by name, and returns their URLs. */
  serve(files: Record<string, Buffer | string>): Promise<Record<string, string>>;
  attempt(input: JsonObject, options?: AttemptOptions): WatchedAttempt;
  /** Executes an attempt, and returns what it has made, with a path for each file. */
  made(handler: Handler, attempt: WatchedAttempt): Promise<{ output: JsonValue; paths: string[]; names: string[] }>;
  /** What is left of work in progress. */
  leftovers(): Promise<string[]>;
  /** The ids of the programs that are at work. */
  programs(): Promise<number[]>;
}

export async function openStudio({ maxBytes = 50_000_000, ...limits }: Partial<MediaLimits> & { maxBytes?: number } = {}): Promise<Studio> {
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-studio-'));
  const { engine, missing } = await findMediaEngine(null);
  if (engine === null) throw new Error(missing);
  const scratch = new Scratch(join(folder, 'scratch'));
  await scratch.start();
  const store = new DiskStore(join(folder, 'artifacts'));
  const artifacts = new ResultFiles(store);
  const fetch = createOutboundFetch({ allow: parseOutboundAllow(['localhost']) });
  const media = new Media({ engine, scratch, maxBytes, limits: { ...mediaLimits, ...limits } });
  await store.bindToInstallation(workspaceId, { mayClaim: true });
  onTestFinished(async () => {
    await fetch.close();
    await scratch.stop();
    await rm(folder, { recursive: true });
  });
  return {
    media,
    serve: serveFiles,
    attempt: (input, options) => makeAttempt({ artifacts, fetch }, workspaceId, input, options),
    async made(handler, attempt) {
      const { output, artifacts: files = [] } = await handler(attempt);
      return { output, paths: files.map(({ file }) => store.path({ workspaceId, id: file.id })), names: files.map(({ name }) => name) };
    },
    programs: () => programsIn(folder),
    async leftovers() {
      const names = await readdir(join(folder, 'scratch'), { recursive: true, withFileTypes: true });
      return names.filter(({ name, parentPath }) => name.startsWith('work-') || parentPath.includes('/work-')).map(({ name }) => name);
    },
  };
}

/** The ids of the processes that work in a folder or below, of this name where one is given. Linux. */
export async function programsIn(folder: string, name: string | null = null): Promise<number[]> {
  const ids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry));
  const places = await Promise.all(ids.map((id) => readlink(`/proc/${id}/cwd`).catch(() => '')));
  const names = await Promise.all(ids.map((id) => readFile(`/proc/${id}/comm`, 'utf8').catch(() => '')));
  return ids.filter((_, index) => places[index]?.startsWith(folder) === true && (name === null || names[index]?.trim() === name)).map(Number);
}

/** An hour of black whose export takes many minutes, in a few kilobytes. Export it with `slowly`. */
export function longClip(): Promise<Buffer> {
  return clip('-f lavfi -i color=black:s=16x16:r=1:d=3600 -c:v libx264 -preset ultrafast', 'mp4');
}

export const slowly = { width: 1280, frameRate: 60, quality: 'high' } as const;

/** Serves files by their names until the test ends, at `http://localhost:<port>`. Returns their URLs. */
export async function serveFiles(files: Record<string, Buffer | string>): Promise<Record<string, string>> {
  const server = createServer((request, response) => {
    const content = files[decodeURIComponent((request.url ?? '').slice(1))];
    if (content === undefined) response.writeHead(404).end();
    else response.writeHead(200, { 'content-length': Buffer.byteLength(content) }).end(content);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : '';
  return Object.fromEntries(Object.keys(files).map((name) => [name, `http://localhost:${port}/${encodeURIComponent(name)}`]));
}

/** Writes a file that goes after the test. */
export async function inFile(name: string, content: Buffer | string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-file-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}
