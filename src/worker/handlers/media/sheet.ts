import type { MediaRun } from '../../media/media.ts';
import { firstVideo } from '../../media/probe.ts';
import type { Probed } from '../../media/probed.ts';
import { checkSize } from './picture-size.ts';

interface SheetOptions {
  columns: number;
  /** At most. */
  rows: number;
  /** Of one picture, in pixels; even. */
  width: number;
  /** Of the file, a JPEG. */
  name: string;
}

interface Sheet {
  columns: number;
  /** How many pictures there are. */
  pictures: number;
  /** Of one picture, in pixels. */
  width: number;
  height: number;
  /** Seconds from one picture to the next. */
  interval: number;
  /** Of the source. */
  seconds: number;
}

/** Shorter steps show the same picture again. */
const leastInterval = 0.04;

/** A page of pictures, at even distances over the source, from left to right and top to bottom. @throws HandlerError INPUT_REFUSED for one that would be too large */
export async function makeSheet(run: MediaRun, source: Probed, { columns, rows, width, name }: SheetOptions): Promise<Sheet> {
  const video = firstVideo(source);
  const seconds = source.seconds ?? 0;
  const pictures = Math.max(1, Math.min(columns * rows, Math.floor(seconds / leastInterval)));
  const interval = seconds / pictures;
  const height = Math.max(2, 2 * Math.round((width * video.height) / (video.width * video.pixelForm) / 2));
  const usedColumns = Math.min(columns, pictures);
  const usedRows = Math.ceil(pictures / usedColumns);
  checkSize({ width: usedColumns * width, height: usedRows * height });
  // Each picture is of the middle of its interval. What is not a video has one.
  const times = interval > 0 ? [`fps=fps=1/${interval.toFixed(6)}:start_time=0:round=up`] : [];
  await run.ffmpeg({
    inputs: [{ name: 'source' }],
    outputs: [
      {
        options: [
          '-map', `0:${video.index}`,
          '-vf', [...times, `scale=${width}:${height}`, 'setsar=1', `tile=${usedColumns}x${usedRows}:nb_frames=${pictures}`].join(','),
          '-frames:v', '1', '-c:v', 'mjpeg', '-q:v', '4', '-pix_fmt', 'yuvj420p', '-f', 'image2', '-update', '1',
        ],
        name,
      },
    ],
    what: 'The page of pictures',
    seconds: null,
  });
  return { columns: usedColumns, pictures, width, height, interval, seconds };
}

/** WebVTT that names, for each part of the source, where on the page its picture is (a media fragment, `#xywh=`). */
export function cueSheet({ columns, pictures, width, height, interval, seconds }: Sheet, filename: string): string {
  const cues = Array.from({ length: pictures }, (_, index) => {
    const [from, to] = [index * interval, index + 1 === pictures ? seconds : (index + 1) * interval];
    const x = (index % columns) * width;
    const y = Math.floor(index / columns) * height;
    return `${clock(from)} --> ${clock(to)}\n${encodeURIComponent(filename)}#xywh=${x},${y},${width},${height}\n`;
  });
  return ['WEBVTT\n', ...cues].join('\n');
}

/** As WebVTT writes it: 01:02:03.456. */
function clock(seconds: number): string {
  const milliseconds = Math.round(seconds * 1_000);
  const parts = [Math.floor(milliseconds / 3_600_000), Math.floor(milliseconds / 60_000) % 60, Math.floor(milliseconds / 1_000) % 60];
  return `${parts.map((part) => String(part).padStart(2, '0')).join(':')}.${String(milliseconds % 1_000).padStart(3, '0')}`;
}
