import type { Installation } from '../installation.ts';
import type { Comparison } from '../measure.ts';
import type { Stops } from '../stops.ts';

/** Prepares its contestants, and says what is to be compared. They are stopped when that is done. */
export type Case = (installation: Installation, stops: Stops) => Promise<Comparison[]>;
