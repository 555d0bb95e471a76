import { createdAtOf } from '../../database/ids.ts';
import type { Job } from '../../jobs/model/job.ts';
import type { IdForm } from '../../jobs/read/job-ids.ts';

export const vidocuTypes = ['analysis', 'export', 'translation', 'tool'] as const;
type VidocuType = (typeof vidocuTypes)[number];

/** The vendor's name for a type. Types that it does not know, voiceovers included, are tools. */
export function vidocuType(type: string): VidocuType {
  return vidocuTypes.find((known) => known === type) ?? 'tool';
}

/**
 * `analysis_1708300000000_abc1234`: the type, the id's millisecond, and 36 of its other bits in base 36. Fourteen of
 * these are the end of the counter that ids made by one process in one millisecond differ in, the rest is random.
 */
export function vidocuId({ id, type }: Pick<Job, 'id' | 'type'>): string {
  const bits = Number.parseInt(id.slice(21, 23) + id.slice(24, 31), 16);
  return `${vidocuType(type)}_${String(createdAtOf(id).getTime()).padStart(13, '0')}_${bits.toString(36).padStart(7, '0')}`;
}

/** Every surface takes these ids. */
export const vidocuIds: IdForm = {
  dialect: 'VIDOCU',
  createdIn(id) {
    const [, milliseconds] = /^[a-z]+_(\d{13})_[0-9a-z]{7}$/.exec(id) ?? [];
    return milliseconds === undefined ? null : Number(milliseconds);
  },
  idOf: vidocuId,
};
