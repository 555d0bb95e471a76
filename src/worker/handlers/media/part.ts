import { HandlerError } from '../../handler.ts';
import type { Probed } from '../../media/probed.ts';

interface Part {
  /** Options before the input. */
  options: string[];
  /** Filters of the picture. */
  filters: string[];
  /** Where it begins. */
  start: number;
  /** Its length; null if the source does not say its own. */
  seconds: number | null;
}

/**
 * The part of a source from one second to another.
 *
 * @throws HandlerError if it lies after the end
 */
export function partOf({ seconds: whole, video: [picture] }: Probed, start = 0, end: number | undefined = undefined): Part {
  if (whole !== null && start >= whole && start > 0) {
    throw new HandlerError('INPUT_REFUSED', `The source ends after ${whole.toFixed(1)} seconds, before start. Give an earlier start.`, { retryable: false });
  }
  const to = Math.min(end ?? Infinity, whole ?? Infinity);
  return {
    options: [...(start > 0 ? ['-ss', String(start)] : []), ...(end === undefined ? [] : ['-t', String(end - start)])],
    filters: start > 0 ? alignment(picture?.frameRate ?? null) : [],
    start,
    seconds: Number.isFinite(to) ? to - start : null,
  };
}

/** A start between two frames: the second one is shown from the beginning, not the first one in its place. A picture that comes later stays late. */
function alignment(frameRate: number | null): string[] {
  return frameRate === null ? [] : [`setpts='if(lt(STARTPTS*TB,${(1 / frameRate).toFixed(6)}),PTS-STARTPTS,PTS)'`];
}
