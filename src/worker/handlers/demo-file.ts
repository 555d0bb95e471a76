import { crc32, deflateSync } from 'node:zlib';
import type { demoFiles } from '../../jobs/types/demo.ts';

interface DemoFile {
  filename: string;
  mediaType: string;
  content: Buffer;
}

/** The file that a demo job makes. Null for none. */
export function makeDemoFile(kind: (typeof demoFiles)[number], title: string): DemoFile | null {
  switch (kind) {
    case 'text':
      return { filename: 'demo.txt', mediaType: 'text/plain', content: Buffer.from(`${title}\n`) };
    case 'image':
      return { filename: 'demo.png', mediaType: 'image/png', content: gradient(320, 180) };
    case 'audio':
      return { filename: 'demo.wav', mediaType: 'audio/wav', content: tone(440, 1) };
    case 'none':
      return null;
  }
}

/** A PNG of 8-bit RGB (ISO/IEC 15948), from blue to orange. */
function gradient(width: number, height: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const lines = Array.from({ length: height }, (_, y) => {
    const pixels = Array.from({ length: width }, (_pixel, x) => {
      const share = (x / width + y / height) / 2;
      return [40 + 200 * share, 90 + 60 * share, 200 - 160 * share].map(Math.round);
    });
    // Each line begins with its filter: none.
    return [0, ...pixels.flat()];
  });
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const chunks = [chunk('IHDR', header), chunk('IDAT', deflateSync(Buffer.from(lines.flat()))), chunk('IEND', Buffer.alloc(0))];
  return Buffer.concat([signature, ...chunks]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  return Buffer.concat([uint32(data.length, 'big'), body, uint32(crc32(body), 'big')]);
}

const samplesPerSecond = 8_000;

/** A WAV of 16-bit PCM, one channel. It fades in and out, so that it does not click. */
function tone(hertz: number, seconds: number): Buffer {
  const count = seconds * samplesPerSecond;
  const samples = Int16Array.from({ length: count }, (_, n) => {
    const loudness = Math.min(1, n / 400, (count - n) / 400);
    return Math.round(8_000 * loudness * Math.sin((2 * Math.PI * hertz * n) / samplesPerSecond));
  });
  const data = Buffer.alloc(samples.byteLength);
  for (const [n, sample] of samples.entries()) data.writeInt16LE(sample, 2 * n);
  const format = Buffer.alloc(16);
  // PCM, one channel, so many samples and bytes each second, 2 bytes and 16 bits each.
  for (const [at, value] of [[0, 1], [2, 1], [12, 2], [14, 16]] as const) format.writeUInt16LE(value, at);
  format.writeUInt32LE(samplesPerSecond, 4);
  format.writeUInt32LE(2 * samplesPerSecond, 8);
  const body = Buffer.concat([Buffer.from('WAVE'), riff('fmt ', format), riff('data', data)]);
  return riff('RIFF', body);
}

function riff(id: string, data: Buffer): Buffer {
  return Buffer.concat([Buffer.from(id), uint32(data.length, 'little'), data]);
}

function uint32(value: number, order: 'big' | 'little'): Buffer {
  const bytes = Buffer.alloc(4);
  if (order === 'big') bytes.writeUInt32BE(value);
  else bytes.writeUInt32LE(value);
  return bytes;
}
