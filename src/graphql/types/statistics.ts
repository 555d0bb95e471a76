import type { StatisticsStep } from '../../jobs/statistics/entities.ts';
import { lengthOf } from '../../jobs/statistics/points.ts';
import { mostPoints, type StatisticsPoint } from '../../jobs/statistics/statistics.ts';
import { builder } from '../builder.ts';

export const StatisticsStepType = builder.enumType('StatisticsStep', {
  description: 'The length of a step of statistics.',
  values: {
    MINUTE: { description: 'Kept for 2 days.' },
    HOUR: { description: 'Kept for 60 days.' },
    DAY: { description: "UTC's. Kept for 2 years." },
  } satisfies Record<StatisticsStep, { description: string }>,
});

const within = 'Seconds, within 10 %';

export const StatisticsPointType = builder.objectRef<StatisticsPoint>('StatisticsPoint').implement({
  description: "What happened in one step, by the database's clock.",
  fields: (t) => ({
    at: t.expose('at', { type: 'DateTime', nullable: false, description: 'Where the step begins.' }),
    created: t.exposeInt('created', { nullable: false, description: 'Jobs that were created.' }),
    completed: t.exposeInt('completed', { nullable: false, description: 'Jobs that were completed.' }),
    failed: t.exposeInt('failed', { nullable: false, description: 'Jobs that failed for good.' }),
    cancelled: t.exposeInt('cancelled', { nullable: false, description: 'Jobs that were cancelled.' }),
    failedAttempts: t.exposeInt('failedAttempts', {
      nullable: false,
      description: 'Attempts that failed, expired or timed out, whether or not another one followed.',
    }),
    waitP50: t.exposeFloat('waitP50', {
      description: `${within}, from due to claimed, of attempts that began in the step: half of them waited no longer. Null where none did.`,
    }),
    waitP95: t.exposeFloat('waitP95', { description: 'The same for 95 % of them.' }),
    runP50: t.exposeFloat('runP50', {
      description: `${within}, from claimed to ended, of attempts that ended in the step: half of them ran no longer. Null where none did.`,
    }),
    runP95: t.exposeFloat('runP95', { description: 'The same for 95 % of them.' }),
  }),
});

/** Prices statistics by their points. What cannot be read costs what it may at most. */
export function statisticsCost(asked: { from: Date; to?: Date | null | undefined; step: StatisticsStep }): {
  field: number;
  multiplier: number;
} {
  const points = Math.ceil(((asked.to?.getTime() ?? Date.now()) - asked.from.getTime()) / lengthOf(asked.step)) + 1;
  return { field: 1, multiplier: Math.min(Math.max(points, 1), mostPoints) };
}
