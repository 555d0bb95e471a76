import type { ListedScheduleFragment } from '../generated/schedules.ts';
import { Badge } from '../ui/badge.tsx';

/** Whether it has occurrences, and whether the last one created a job. */
export function ScheduleState({ schedule: { paused, lastError } }: { schedule: ListedScheduleFragment }) {
  if (paused) return <Badge tone="warn">Paused</Badge>;
  if (lastError === null) return <Badge tone="good">On</Badge>;
  // What it was asked for, while its last job runs.
  if (lastError.code === 'OVERLAP') return <Badge>Skipped</Badge>;
  return <Badge tone="bad">Failing</Badge>;
}
