import { HandlerError } from '../../handler.ts';
import { mediaLimits } from '../../media/limits.ts';

/** Pixels of a side: more, not every encoder takes (H.264: 16,384). */
const mostSide = 16_000;

/** Refuses a result with a larger picture than is worked on. @throws HandlerError INPUT_REFUSED */
export function checkSize({ width, height }: { width: number; height: number }): void {
  const { maxPixels } = mediaLimits;
  if (width * height <= maxPixels && Math.max(width, height) <= mostSide) return;
  const size = `${Math.round(width)}x${Math.round(height)}`;
  throw new HandlerError(
    'INPUT_REFUSED',
    `The result would have a picture of ${size} pixels. At most ${maxPixels / 1_000_000} million are made, and ${mostSide} of a side. Ask for less width or height, or fewer rows.`,
    { retryable: false },
  );
}
