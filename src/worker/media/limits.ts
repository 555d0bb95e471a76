import { cpus } from 'node:os';

/** What bounds the work on a file that somebody else has made. */
export interface MediaLimits {
  /** Of one picture: 8K has 33 million. */
  maxPixels: number;
  /** Of one source. */
  maxSeconds: number;
  /** That looking at what a file is may take. */
  probeSeconds: number;
  /** That one program may take. Types of media time out after an hour: this tells first what is the matter. */
  runSeconds: number;
}

export const mediaLimits: MediaLimits = { maxPixels: 40_000_000, maxSeconds: 6 * 3600, probeSeconds: 60, runSeconds: 3_300 };

/**
 * The demuxers that may read a source: containers that hold their media themselves. What names other files or hosts (playlists,
 * scripts of the concat demuxer, session descriptions) or draws from a text (SVG) is not among them.
 */
const mediaFormats = [
  'mov', 'matroska', 'webm', 'avi', 'flv', 'mpeg', 'mpegts', 'mpegvideo', 'asf', 'ogg', 'mxf', 'ivf', 'h264', 'hevc', 'obu', 'm4v', 'yuv4mpegpipe',
  'mp3', 'wav', 'w64', 'flac', 'aac', 'ac3', 'eac3', 'aiff', 'amr', 'caf', 'au', 'opus', 'tta', 'wv', 'ape',
  'gif', 'apng', 'jpeg_pipe', 'png_pipe', 'webp_pipe', 'bmp_pipe', 'tiff_pipe',
];

const captionFormats = ['srt', 'webvtt', 'ass'];

/** Bytes of one block of memory of a program. */
const maxAllocation = 1024 ** 3;

const threads = String(Math.min(cpus().length, 8));

/** A result is of our own making, so it may be in any container: ffmpeg looks at its name, too, where it is to tell pictures. */
export type SourceKind = 'media' | 'captions' | 'result';

/** The options before an input. No protocol reaches the network. */
export function inputOptions(kind: SourceKind, { maxPixels }: MediaLimits): string[] {
  const formats = { media: mediaFormats, captions: captionFormats, result: [] }[kind];
  return [
    '-protocol_whitelist', 'file,pipe',
    ...(formats.length === 0 ? [] : ['-format_whitelist', formats.join(',')]),
    ...(kind === 'captions' ? [] : ['-max_pixels', String(maxPixels)]),
  ];
}

/** The options of a program as a whole. */
export const programOptions: readonly string[] = ['-hide_banner', '-max_alloc', String(maxAllocation)];

/** The same, of ffmpeg alone. */
export const ffmpegOptions: readonly string[] = [...programOptions, '-nostdin', '-nostats', '-y', '-filter_complex_threads', threads, '-filter_threads', threads];

/** Before an input, and before an output. */
export const threadOptions: readonly string[] = ['-threads', threads];
