import type { Installation } from '../installation.ts';
import type { Comparison } from '../measure.ts';
import type { Stops } from '../stops.ts';

/** Prepares its contestants and returns the comparisons to run. The contestants are stopped afterwards. */
export type Case = (installation: Installation, stops: Stops) => Promise<Comparison[]>;
