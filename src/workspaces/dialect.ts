/** The surface that a key speaks, and that a job came through: our own, or one of the four REST dialects. */
export const dialects = ['NATIVE', 'VIDOCU', 'VIDEOCONDUIT', 'VYDRA', 'REVID'] as const;

export type Dialect = (typeof dialects)[number];
