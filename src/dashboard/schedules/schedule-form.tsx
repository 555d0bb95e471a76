import { useSignal } from '@preact/signals';
import { useState } from 'preact/hooks';
import { useQuery } from '../app/use-query.ts';
import { mutate } from '../app/mutate.ts';
import { notify } from '../app/notices.tsx';
import { fromHere } from '../app/router.ts';
import { ChangeScheduleDocument, MakeScheduleDocument, ScheduleTypesDocument, type WholeScheduleFragment } from '../generated/schedules.ts';
import { Field } from '../ui/field.tsx';
import { FormDialog } from '../ui/form-dialog.tsx';
import type { ErrorAt } from '../ui/told-issues.ts';
import { Details } from '../ui/details.tsx';
import { draftOf, inputOf, type ScheduleDraft } from './schedule-draft.ts';

interface ScheduleFormProps {
  /** To change it; null to make one. */
  schedule: WholeScheduleFragment | null;
  done: () => Promise<void>;
  onClose: () => void;
}

/** Makes a schedule, and goes to it, or changes one. */
export function ScheduleForm({ schedule, done, onClose }: ScheduleFormProps) {
  // As it was opened: behind the dialog it is read again.
  const [before] = useState(() => draftOf(schedule));
  const draft = useSignal(before);
  const types = useQuery(ScheduleTypesDocument, {}, { skip: schedule !== null });
  const submit = async () => {
    const onward = fromHere();
    const fields = inputOf(draft.value, schedule === null ? null : before);
    const made =
      schedule === null
        ? await mutate(MakeScheduleDocument, { input: { ...fields, type: draft.value.type } })
        : await mutate(ChangeScheduleDocument, { input: { ...fields, id: schedule.id } });
    if (schedule !== null || !onward(['schedules', made.schedule.id])) await done();
    notify(schedule === null ? `${made.schedule.name} was made.` : `${made.schedule.name} was changed.`);
  };
  const input = (errorAt: ErrorAt, name: keyof ScheduleDraft, label: string, hint?: string, list?: string) => (
    <Field label={label} hint={hint} error={errorAt(name)}>
      {(field) => <input {...field} list={list} autocomplete="off" spellcheck={false} value={draft.value[name]} onInput={({ currentTarget }) => (draft.value = { ...draft.value, [name]: currentTarget.value })} />}
    </Field>
  );
  const more = (errorAt: ErrorAt) => {
    // Made before it is opened: that their issues have fields is known by it.
    const fields = (
      <>
        <div class="two-fields">
          {input(errorAt, 'priority', 'Priority', 'Minutes of head start, -100 to 100.')}
          {input(errorAt, 'maxAttempts', 'Failed attempts allowed', '1 to 100; empty for the type’s own.')}
          {input(errorAt, 'concurrencyKey', 'Concurrency key')}
          {input(errorAt, 'concurrencyLimit', 'Jobs of this key at once')}
        </div>
        {input(errorAt, 'tags', 'Tags', 'Separated by commas.')}
        {input(errorAt, 'webhookUrl', 'Webhook URL', 'Told when each job has ended.')}
      </>
    );
    return (
      <Details summary="More" needed={furtherNames.some((name) => errorAt(name) !== null)}>
        {() => fields}
      </Details>
    );
  };
  return (
    <FormDialog title={schedule === null ? 'New schedule' : `Change ${schedule.name}`} action={schedule === null ? 'Make schedule' : 'Change schedule'} large submit={submit} onClose={onClose}>
      {(errorAt) => (
        <>
          <div class="two-fields">
            {input(errorAt, 'name', 'Name')}
            {schedule === null ? input(errorAt, 'type', 'Type', undefined, 'schedule-types') : null}
            {input(errorAt, 'cron', 'Cron', 'Minute, hour, day, month, weekday: 0 3 * * * is each day at 3. Six fields begin with seconds.')}
            {input(errorAt, 'timeZone', 'Time zone', 'For example Europe/Berlin.', 'schedule-zones')}
          </div>
          <datalist id="schedule-types">
            {types.loaded.data?.jobTypes.map(({ name }) => (
              <option key={name} value={name} />
            ))}
          </datalist>
          <datalist id="schedule-zones">
            {zoneNames.map((name) => (
              <option key={name} value={name} />
            ))}
          </datalist>
          <Field label="Input" hint="A JSON object, given to each of its jobs." error={errorAt('input')}>
            {(field) => <textarea {...field} class="mono" rows={5} spellcheck={false} value={draft.value.input} onInput={({ currentTarget }) => (draft.value = { ...draft.value, input: currentTarget.value })} />}
          </Field>
          <Field label="While its last job has not ended" error={errorAt('overlap')}>
            {(field) => (
              <select {...field} value={draft.value.overlap} onChange={({ currentTarget }) => (draft.value = { ...draft.value, overlap: currentTarget.value === 'ALLOW' ? 'ALLOW' : 'SKIP' })}>
                <option value="SKIP">Skip the occurrence</option>
                <option value="ALLOW">Create another job</option>
              </select>
            )}
          </Field>
          {more(errorAt)}
        </>
      )}
    </FormDialog>
  );
}

/** The fields that are shown on demand. */
const furtherNames = ['priority', 'maxAttempts', 'concurrencyKey', 'concurrencyLimit', 'tags', 'webhookUrl'] as const;

const zoneNames = ['UTC', ...Intl.supportedValuesOf('timeZone').filter((name) => name !== 'UTC')];
