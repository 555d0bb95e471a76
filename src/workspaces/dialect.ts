/** The surface of a key, and the surface that a job came through: our own API or one of the four REST dialects. */
export const dialects = ['NATIVE', 'VIDOCU', 'VIDEOCONDUIT', 'VYDRA', 'REVID'] as const;

export type Dialect = (typeof dialects)[number];
