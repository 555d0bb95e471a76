import { z } from 'zod';
import { source } from '../sources.ts';

/** Fields that several types of media share. */

/** Seconds of the longest source. */
const longest = 6 * 3600;

export const mediaSource = sourceField('Where the media is: an absolute http or https URL, or upload:ID.');

/** A field that names a file which the worker reads. */
export function sourceField(description: string, title = 'Source') {
  return source.meta({ title, description });
}

export const soundFormats = ['mp3', 'wav'] as const;
export const exportFormats = ['mp4', 'webm', 'mp3', 'wav', 'gif'] as const;
export type ExportFormat = (typeof exportFormats)[number];

const qualities = ['low', 'medium', 'high'] as const;
export type Quality = (typeof qualities)[number];

function secondsField(title: string, description: string) {
  return z.number().min(0).max(longest).meta({ title, description });
}

function pixelsField(title: string, description: string, most = 4096) {
  return z.int().min(16).max(most).meta({ title, description });
}

export const pictureFields = {
  width: pixelsField('Width', 'Pixels. With the height, the picture fits into both and keeps its form; alone, the height follows. Default: as the source.').optional(),
  height: pixelsField('Height', 'Pixels. Default: follows the width, or as the source.').optional(),
  frameRate: z.number().min(1).max(60).meta({ title: 'Frame rate', description: 'Frames a second. Default: as the source, at most 60; GIF 12.' }).optional(),
};

export const qualityField = z.enum(qualities).meta({ title: 'Quality', description: 'Better looks and sounds better, and makes a larger file.' });

export const partFields = {
  start: secondsField('Start', 'Seconds of the source that are left out before. Default: 0.').optional(),
  end: secondsField('End', 'The second of the source at which it ends. Default: its end.').optional(),
};
