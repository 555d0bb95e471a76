import { type Issue, LonghaulError } from '@longhaul/client';
import type { ScheduleOverlap, WholeScheduleFragment } from '../generated/schedules.ts';
import { hiddenText, hidesSomething, isJsonRecord } from '../app/json-values.ts';

/** A schedule as it stands in its form. */
export interface ScheduleDraft {
  name: string;
  type: string;
  cron: string;
  timeZone: string;
  /** JSON. */
  input: string;
  overlap: ScheduleOverlap;
  priority: string;
  maxAttempts: string;
  tags: string;
  webhookUrl: string;
  concurrencyKey: string;
  concurrencyLimit: string;
}

/** Null: of a new schedule, in the browser's time zone. */
export function draftOf(schedule: WholeScheduleFragment | null): ScheduleDraft {
  return {
    name: schedule?.name ?? '',
    type: schedule?.type ?? '',
    cron: schedule?.cron ?? '',
    timeZone: schedule?.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
    input: JSON.stringify(schedule?.input ?? {}, null, 2),
    overlap: schedule?.overlap ?? 'SKIP',
    priority: schedule === null ? '' : String(schedule.priority),
    maxAttempts: String(schedule?.maxAttempts ?? ''),
    tags: schedule?.tags.join(', ') ?? '',
    webhookUrl: schedule?.webhookUrl ?? '',
    concurrencyKey: schedule?.concurrencyKey ?? '',
    concurrencyLimit: String(schedule?.concurrencyLimit ?? ''),
  };
}

/**
 * What the mutation takes. The input is left out where it was not changed: what the server hides in it is not sent back as it is shown.
 *
 * @param before the draft as it was opened; null for a new schedule
 * @throws LonghaulError with issues, as the server would
 */
export function inputOf(draft: ScheduleDraft, before: ScheduleDraft | null) {
  const isNew = before === null;
  const found: Issue[] = [];
  const input = {
    name: draft.name.trim(),
    cron: draft.cron.trim(),
    timeZone: draft.timeZone.trim(),
    overlap: draft.overlap,
    ...(isNew || draft.input !== before.input ? { input: objectOf(draft.input, found) } : {}),
    // Null puts back what a new schedule has.
    priority: wholeNumber('priority', draft.priority, found),
    maxAttempts: wholeNumber('maxAttempts', draft.maxAttempts, found),
    tags: draft.tags.split(',').map((tag) => tag.trim()).filter((tag) => tag !== ''),
    webhookUrl: draft.webhookUrl.trim() || null,
    concurrencyKey: draft.concurrencyKey.trim() || null,
    concurrencyLimit: wholeNumber('concurrencyLimit', draft.concurrencyLimit, found),
  };
  if (found.length > 0) throw new LonghaulError({ code: 'VALIDATION_ERROR', message: 'Nothing was sent: see the fields that are marked.', issues: found });
  return input;
}

function objectOf(text: string, found: Issue[]): Record<string, unknown> {
  const wrong = (message: string) => {
    found.push({ path: ['input'], message });
    return {};
  };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return wrong(`This is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (hidesSomething(value)) return wrong(`What is shown as ${hiddenText} is secret. Fill it in again, as the input is changed as a whole.`);
  return isJsonRecord(value) ? value : wrong('This is no JSON object. Write one between { and }.');
}

function wholeNumber(name: keyof ScheduleDraft, text: string, found: Issue[]): number | null {
  const trimmed = text.trim();
  if (trimmed === '') return null;
  if (!/^-?\d{1,9}$/.test(trimmed)) found.push({ path: [name], message: 'Write a whole number, or nothing.' });
  return Number(trimmed);
}
