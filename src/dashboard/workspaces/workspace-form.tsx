import { useSignal } from '@preact/signals';
import { mutate } from '../app/mutate.ts';
import { notify } from '../app/notices.tsx';
import { ChangeWorkspaceDocument, type ListedWorkspaceFragment, MakeWorkspaceDocument } from '../generated/workspaces.ts';
import { Field } from '../ui/field.tsx';
import { FormDialog } from '../ui/form-dialog.tsx';

/** Makes a workspace, or changes one. @param workspace null to make one */
export function WorkspaceForm({ workspace, done, onClose }: { workspace: ListedWorkspaceFragment | null; done: () => Promise<void>; onClose: () => void }) {
  const name = useSignal(workspace?.name ?? '');
  const limit = useSignal(String(workspace?.concurrencyLimit ?? ''));
  const credits = useSignal('');
  const submit = async () => {
    const fields = { name: name.value.trim(), concurrencyLimit: numberOf(limit.value) };
    const made =
      workspace === null
        ? await mutate(MakeWorkspaceDocument, { input: { ...fields, credits: numberOf(credits.value) } })
        : await mutate(ChangeWorkspaceDocument, { input: { ...fields, id: workspace.id } });
    await done();
    notify(workspace === null ? `${made.workspace.name} was made.` : `${made.workspace.name} was changed.`);
  };
  return (
    <FormDialog title={workspace === null ? 'New workspace' : `Change ${workspace.name}`} action={workspace === null ? 'Make workspace' : 'Change workspace'} submit={submit} onClose={onClose}>
      {(errorAt) => (
        <>
          <Field label="Name" error={errorAt('name')}>
            {(field) => <input {...field} required maxLength={200} value={name.value} onInput={({ currentTarget }) => (name.value = currentTarget.value)} />}
          </Field>
          <Field label="Jobs at once" hint="1 to 10,000; empty for no limit. A lower one stops no job that runs." error={errorAt('concurrencyLimit')}>
            {(field) => <input {...field} type="number" min={1} max={10_000} value={limit.value} onInput={({ currentTarget }) => (limit.value = currentTarget.value)} />}
          </Field>
          {workspace === null && (
            <Field label="Credits to begin with" hint="0 to 1,000,000,000; empty for none." error={errorAt('credits')}>
              {(field) => <input {...field} type="number" min={0} max={1_000_000_000} value={credits.value} onInput={({ currentTarget }) => (credits.value = currentTarget.value)} />}
            </Field>
          )}
        </>
      )}
    </FormDialog>
  );
}

function numberOf(text: string): number | null {
  return text.trim() === '' ? null : Number(text);
}
