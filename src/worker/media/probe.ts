import { z } from 'zod';
import { parseJson } from '../../json.ts';
import { HandlerError } from '../handler.ts';
import type { Probed, VideoStream, AudioStream } from './probed.ts';

const text = z.string().catch('');
const count = z.coerce.number().nonnegative().catch(0);

const stream = z.looseObject({
  index: z.int(),
  codec_type: text,
  codec_name: text,
  width: count,
  height: count,
  avg_frame_rate: text,
  r_frame_rate: text,
  sample_rate: count,
  channels: count,
  bit_rate: count,
  duration: count,
  pix_fmt: text,
  sample_aspect_ratio: text,
  side_data_list: z.array(z.looseObject({ rotation: z.coerce.number().catch(0) })).catch([]),
  disposition: z.looseObject({ attached_pic: count }).catch({ attached_pic: 0 }),
  tags: z.looseObject({ language: text }).catch({ language: '' }),
});

const answer = z.looseObject({
  streams: z.array(stream).catch([]),
  format: z.looseObject({ format_name: text, start_time: z.coerce.number().catch(0), duration: count, bit_rate: count }).catch({ format_name: '', start_time: 0, duration: 0, bit_rate: 0 }),
});

/** What ffprobe says (JSON), in our words. Null if it says nothing of a stream. */
export function readProbed(json: Buffer): Probed | null {
  const { success, data } = answer.safeParse(json.byteLength === 0 ? {} : parseJson(json));
  if (!success || data.streams.length === 0) return null;
  const { streams, format } = data;
  const pictures = streams.filter(({ codec_type, disposition, width, height }) => codec_type === 'video' && disposition.attached_pic === 0 && width * height > 0);
  const video = pictures.map(
    (each): VideoStream => ({
      index: each.index,
      codec: each.codec_name,
      ...(isTurned(each) ? { width: each.height, height: each.width } : { width: each.width, height: each.height }),
      pixelForm: pixelForm(each.sample_aspect_ratio) ** (isTurned(each) ? -1 : 1),
      frameRate: rate(each.avg_frame_rate) ?? rate(each.r_frame_rate),
      pixelFormat: each.pix_fmt,
    }),
  );
  const audio = streams
    .filter(({ codec_type, sample_rate, channels }) => codec_type === 'audio' && sample_rate > 0 && channels > 0)
    .map(
      (each): AudioStream => ({
        index: each.index,
        codec: each.codec_name,
        sampleRate: each.sample_rate,
        channels: each.channels,
        language: each.tags.language === '' ? null : each.tags.language,
      }),
    );
  const subtitles = streams.filter(({ codec_type }) => codec_type === 'subtitle').map(({ index, codec_name, tags }) => ({ index, codec: codec_name, language: tags.language || null }));
  const seconds = Math.max(format.duration, ...streams.map(({ duration }) => duration));
  return { container: format.format_name, seconds: seconds > 0 ? seconds : null, begins: format.start_time, bitRate: format.bit_rate || null, video, audio, subtitles };
}

/** Whether it is shown turned by a quarter. */
function isTurned({ side_data_list: sides }: z.output<typeof stream>): boolean {
  return sides.some(({ rotation }) => Math.abs(rotation) % 180 === 90);
}

/** Of a ratio such as 16:15. What is far from a square is a mistake, or worse. */
function pixelForm(ratio: string): number {
  const [wide = 0, high = 0] = ratio.split(':').map(Number);
  const form = wide / high;
  return form > 0.25 && form < 4 ? form : 1;
}

/** Frames a second, of a fraction such as 30000/1001. */
function rate(fraction: string): number | null {
  const [over = 0, under = 0] = fraction.split('/').map(Number);
  const value = over / under;
  return Number.isFinite(value) && value > 0 ? value : null;
}

/** @param called what the file is to whoever named it. @throws HandlerError if there is none */
export function firstVideo({ video: [first] }: Probed, called = 'The source'): VideoStream {
  if (first !== undefined) return first;
  throw new HandlerError('MEDIA_REFUSED', `${called} has no video. Use one that has.`, { retryable: false });
}

/** @param called what the file is to whoever named it. @throws HandlerError if there is none */
export function firstAudio({ audio: [first] }: Probed, called = 'The source'): AudioStream {
  if (first !== undefined) return first;
  throw new HandlerError('MEDIA_REFUSED', `${called} has no sound. Use one that has.`, { retryable: false });
}
