import { z } from 'zod';

/** The steps of a demo job, in order. */
const demoSteps = ['prepare', 'analyse', 'render', 'finish'] as const;

export type DemoStep = (typeof demoSteps)[number];

/** The files that a demo job can make. */
export const demoFiles = ['text', 'image', 'audio', 'none'] as const;

/** What a demo job takes; {} is enough. */
export const demoFields = {
  seconds: z.number().min(0).max(3600).describe('Seconds that it takes; 10 where not given.').nullish(),
  failAt: z.enum(demoSteps).describe('The step at which it fails, whatever attempts are left; none where not given.').nullish(),
  file: z.enum(demoFiles).describe('The small file that it makes; text where not given.').nullish(),
};
