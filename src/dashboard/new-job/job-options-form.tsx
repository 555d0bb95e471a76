import { zone } from '../app/time.tsx';
import type { DraftIssue } from '../form/drafts.ts';
import { Field } from '../ui/field.tsx';
import type { Options } from './job-options.ts';

interface OptionsFormProps {
  options: Options;
  change: (options: Options) => void;
  issues: readonly DraftIssue[];
}

/** What a job may be given beside its input. */
export function OptionsForm({ options, change, issues }: OptionsFormProps) {
  const error = (name: string) => issues.find(({ path }) => path[0] === name)?.message ?? null;
  const put = (name: keyof Options) => ({
    value: options[name],
    autocomplete: 'off',
    onInput: ({ currentTarget }: { currentTarget: { value: string } }) => change({ ...options, [name]: currentTarget.value }),
  });
  return (
    <div class="new-options">
      <Field label="Tags" hint="One a line, at most 20." error={error('tags')}>
        {(field) => <textarea {...field} rows={2} {...put('tags')} />}
      </Field>
      <Field label="Reference" hint="Your own name for the job." error={error('clientReference')}>
        {(field) => <input {...field} {...put('clientReference')} />}
      </Field>
      <Field label="Priority" hint="Minutes of head start, -100 to 100." error={error('priority')}>
        {(field) => <input {...field} inputMode="numeric" {...put('priority')} />}
      </Field>
      <Field label={`Not before (${zone.value === 'UTC' ? 'UTC' : 'local time'})`} error={error('runAt')}>
        {(field) => <input {...field} type="datetime-local" step="1" {...put('runAt')} />}
      </Field>
      <Field label="Failed attempts at most" hint="1 to 100. Not given: as its type." error={error('maxAttempts')}>
        {(field) => <input {...field} inputMode="numeric" {...put('maxAttempts')} />}
      </Field>
      <Field label="Webhook URL" hint="Is told when the job has ended." error={error('webhookUrl')}>
        {(field) => <input {...field} inputMode="url" {...put('webhookUrl')} />}
      </Field>
      <Field label="Concurrency key" hint="Of the jobs with this key, only so many run at once." error={error('concurrencyKey')}>
        {(field) => <input {...field} {...put('concurrencyKey')} />}
      </Field>
      <Field label="Of this key at once" hint="1 to 1,000. Not given: 1." error={error('concurrencyLimit')}>
        {(field) => <input {...field} inputMode="numeric" {...put('concurrencyLimit')} />}
      </Field>
    </div>
  );
}
