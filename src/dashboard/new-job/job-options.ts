import type { CreateJobInput } from '../generated/new-job.ts';
import type { DraftIssue } from '../form/drafts.ts';

/** What a job may be given beside its input, as it was typed. */
export interface Options {
  /** One a line. */
  tags: string;
  priority: string;
  /** As `<input type="datetime-local">` has it. */
  runAt: string;
  maxAttempts: string;
  webhookUrl: string;
  clientReference: string;
  concurrencyKey: string;
  concurrencyLimit: string;
}

export const noOptions: Options = { tags: '', priority: '', runAt: '', maxAttempts: '', webhookUrl: '', clientReference: '', concurrencyKey: '', concurrencyLimit: '' };

type Asked = Omit<CreateJobInput, 'type' | 'input' | 'idempotencyKey'>;

/** The options as they are sent. @param utc whether times were typed in UTC @param issues where what is wrong is put */
export function askedBy(options: Options, utc: boolean, issues: DraftIssue[]): Asked {
  const asked: Asked = {};
  const tags = options.tags.split('\n').map((tag) => tag.trim()).filter((tag) => tag !== '');
  if (tags.length > 0) asked.tags = tags;
  for (const name of ['priority', 'maxAttempts', 'concurrencyLimit'] as const) {
    const text = options[name].trim();
    if (text === '') continue;
    if (/^[+-]?\d{1,9}$/.test(text)) asked[name] = Number(text);
    else issues.push({ path: [name], message: 'Expected a whole number, such as 5.' });
  }
  for (const name of ['webhookUrl', 'clientReference', 'concurrencyKey'] as const) {
    const text = options[name].trim();
    if (text !== '') asked[name] = text;
  }
  if (options.runAt !== '') {
    const at = new Date(utc ? `${options.runAt}Z` : options.runAt);
    if (Number.isNaN(at.getTime())) issues.push({ path: ['runAt'], message: 'Expected a day and a time.' });
    else asked.runAt = at.toISOString();
  }
  return asked;
}
