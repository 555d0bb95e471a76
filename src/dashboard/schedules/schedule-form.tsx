import { useSignal } from '@preact/signals';
import { useState } from 'preact/hooks';
import { useQuery } from '../app/use-query.ts';
import { issueAt, mutate } from '../app/mutate.ts';
import { notify } from '../app/notices.tsx';
import { fromHere } from '../app/router.ts';
import { ChangeScheduleDocument, MakeScheduleDocument, ScheduleTypesDocument, type WholeScheduleFragment } from '../generated/schedules.ts';
import { Field } from '../ui/field.tsx';
import { FormDialog } from '../ui/form-dialog.tsx';
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
    notify(schedule === null ? `${made.schedule.name} was made.` : `${made.schedule.name} was changed.`);
    if (schedule !== null || !onward(['schedules', made.schedule.id])) await done();
  };
  const input = (failure: unknown, name: keyof ScheduleDraft, label: string, hint?: string, list?: string) => (
    <Field label={label} hint={hint} error={issueAt(failure, name)}>
      {(field) => <input {...field} list={list} autocomplete="off" spellcheck={false} value={draft.value[name]} onInput={({ currentTarget }) => (draft.value = { ...draft.value, [name]: currentTarget.value })} />}
    </Field>
  );
  return (
    <FormDialog title={schedule === null ? 'New schedule' : `Change ${schedule.name}`} action={schedule === null ? 'Make schedule' : 'Change schedule'} large submit={submit} onClose={onClose}>
      {(failure) => (
        <>
          <div class="two-fields">
            {input(failure, 'name', 'Name')}
            {schedule === null ? input(failure, 'type', 'Type', undefined, 'schedule-types') : null}
            {input(failure, 'cron', 'Cron', 'Minute, hour, day, month, weekday: 0 3 * * * is each day at 3. Six fields begin with seconds.')}
            {input(failure, 'timeZone', 'Time zone', 'For example Europe/Berlin.', 'schedule-zones')}
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
          <Field label="Input" hint="A JSON object, given to each of its jobs." error={issueAt(failure, 'input')}>
            {(field) => <textarea {...field} class="mono" rows={5} spellcheck={false} value={draft.value.input} onInput={({ currentTarget }) => (draft.value = { ...draft.value, input: currentTarget.value })} />}
          </Field>
          <Field label="While its last job has not ended" error={issueAt(failure, 'overlap')}>
            {(field) => (
              <select {...field} value={draft.value.overlap} onChange={({ currentTarget }) => (draft.value = { ...draft.value, overlap: currentTarget.value === 'ALLOW' ? 'ALLOW' : 'SKIP' })}>
                <option value="SKIP">Skip the occurrence</option>
                <option value="ALLOW">Create another job</option>
              </select>
            )}
          </Field>
          <Details summary="More">
            {() => (
              <>
                <div class="two-fields">
                  {input(failure, 'priority', 'Priority', 'Minutes of head start, -100 to 100.')}
                  {input(failure, 'maxAttempts', 'Failed attempts allowed', '1 to 100; empty for the type’s own.')}
                  {input(failure, 'concurrencyKey', 'Concurrency key')}
                  {input(failure, 'concurrencyLimit', 'Jobs of this key at once')}
                </div>
                {input(failure, 'tags', 'Tags', 'Separated by commas.')}
                {input(failure, 'webhookUrl', 'Webhook URL', 'Told when each job has ended.')}
              </>
            )}
          </Details>
        </>
      )}
    </FormDialog>
  );
}

const zoneNames = ['UTC', ...Intl.supportedValuesOf('timeZone').filter((name) => name !== 'UTC')];
