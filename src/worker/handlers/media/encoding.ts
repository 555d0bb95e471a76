import type { ExportFormat, Quality } from '../../../jobs/types/media/fields.ts';
import type { VideoStream } from '../../media/probed.ts';
import { checkSize } from './picture-size.ts';

/** Frames a second at most, where nobody asks for less. */
const mostFrames = 60;
const mostGifFrames = 12;

interface Format {
  mediaType: string;
  /** Null for sound alone. */
  video: ((quality: Quality) => string[]) | null;
  /** Null for pictures alone. */
  audio: ((quality: Quality) => string[]) | null;
  muxer: readonly string[];
}

/** Picks one of three. */
function by<Value>(low: Value, medium: Value, high: Value): (quality: Quality) => Value {
  return (quality) => ({ low, medium, high })[quality];
}

const bitRate = by('96k', '128k', '192k');

export const formats: Readonly<Record<ExportFormat, Format>> = {
  mp4: {
    mediaType: 'video/mp4',
    video: (quality) => ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', by('29', '24', '19')(quality), '-pix_fmt', 'yuv420p'],
    audio: (quality) => ['-c:a', 'aac', '-b:a', bitRate(quality), '-ac', '2'],
    muxer: ['-movflags', '+faststart', '-f', 'mp4'],
  },
  webm: {
    mediaType: 'video/webm',
    video: (quality) => ['-c:v', 'libvpx-vp9', '-crf', by('40', '34', '28')(quality), '-b:v', '0', '-deadline', 'realtime', '-cpu-used', '6', '-row-mt', '1', '-pix_fmt', 'yuv420p'],
    audio: (quality) => ['-c:a', 'libopus', '-b:a', bitRate(quality), '-ac', '2'],
    muxer: ['-f', 'webm'],
  },
  mp3: { mediaType: 'audio/mpeg', video: null, audio: (quality) => ['-c:a', 'libmp3lame', '-q:a', by('6', '4', '2')(quality)], muxer: ['-f', 'mp3'] },
  wav: { mediaType: 'audio/wav', video: null, audio: () => ['-c:a', 'pcm_s16le'], muxer: ['-f', 'wav'] },
  gif: { mediaType: 'image/gif', video: () => ['-c:v', 'gif'], audio: null, muxer: ['-f', 'gif'] },
};

export interface Picture {
  format: ExportFormat;
  width?: number | undefined;
  height?: number | undefined;
  frameRate?: number | undefined;
}

/** Filters of a handler among those that make a picture. */
export interface PictureChain {
  /** Of the source's frames. */
  before?: readonly string[];
  /** What is drawn into the picture. */
  drawing?: readonly string[];
}

/** The filters that make a picture of a format and size. @throws HandlerError INPUT_REFUSED for one that would be too large */
export function pictureFilters({ format, width, height, frameRate }: Picture, source: VideoStream, { before = [], drawing = [] }: PictureChain = {}): string[] {
  const most = format === 'gif' ? mostGifFrames : mostFrames;
  checkSize(sizeOf({ width, height }, source));
  // A palette for each frame: one for all would keep all frames in memory until it is known.
  const colours = format === 'gif' ? ['split[frame][seen];[seen]palettegen=stats_mode=single[palette];[frame][palette]paletteuse=new=1'] : [];
  // What is shorter than one frame of the result is one.
  const rate = frameRate ?? (source.frameRate === null || source.frameRate <= most ? null : most);
  return [...before, ...(rate === null ? [] : [`fps=${rate}:eof_action=pass`]), sizeFilter(width, height), ...drawing, ...colours];
}

/** About how large it becomes: `sizeFilter`, in numbers. */
function sizeOf({ width, height }: { width: number | undefined; height: number | undefined }, source: VideoStream): { width: number; height: number } {
  const scales = [...(width === undefined ? [] : [width / source.width]), ...(height === undefined ? [] : [height / source.height])];
  const scale = scales.length === 0 ? 1 : Math.min(...scales);
  return { width: source.width * scale, height: source.height * scale };
}

/** Even sides, which most encoders need. */
function sizeFilter(width: number | undefined, height: number | undefined): string {
  if (width !== undefined && height !== undefined) return `scale=w=${even(width)}:h=${even(height)}:force_original_aspect_ratio=decrease:force_divisible_by=2`;
  if (width !== undefined) return `scale=w=${even(width)}:h=-2`;
  if (height !== undefined) return `scale=w=-2:h=${even(height)}`;
  return 'scale=w=trunc(iw/2)*2:h=trunc(ih/2)*2';
}

function even(pixels: number): number {
  return pixels - (pixels % 2);
}
