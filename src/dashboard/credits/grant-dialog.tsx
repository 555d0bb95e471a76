import { useSignal } from '@preact/signals';
import { mutate } from '../app/mutate.ts';
import { notify } from '../app/notices.tsx';
import { useRequestKeys } from '../app/use-request-keys.ts';
import { AddCreditsDocument } from '../generated/credits.ts';
import { Field } from '../ui/field.tsx';
import { FormDialog } from '../ui/form-dialog.tsx';

/** Adds credits to a workspace's balance. */
export function GrantDialog({ workspace: { id, name }, done, onClose }: { workspace: { id: string; name: string }; done: () => Promise<void>; onClose: () => void }) {
  const amount = useSignal('');
  const keyFor = useRequestKeys();
  const submit = async () => {
    const grant = { workspaceId: id, amount: Number(amount.value) };
    const { workspace } = await mutate(AddCreditsDocument, { input: { ...grant, idempotencyKey: keyFor(grant) } });
    await done();
    notify(`${workspace.name} has ${workspace.credits.toLocaleString('en')} credits now.`);
  };
  return (
    <FormDialog title={`Add credits to ${name}`} action="Add credits" submit={submit} onClose={onClose}>
      {(errorAt) => (
        <>
          <Field label="Credits" hint="1 to 1,000,000,000. They cannot be taken back." error={errorAt('amount')}>
            {(field) => <input {...field} type="number" min={1} max={1_000_000_000} step={1} required value={amount.value} onInput={({ currentTarget }) => (amount.value = currentTarget.value)} />}
          </Field>
        </>
      )}
    </FormDialog>
  );
}
