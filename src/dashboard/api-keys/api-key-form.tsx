import { useSignal } from '@preact/signals';
import { mutate } from '../app/mutate.ts';
import { type Dialect, MakeKeyDocument, type Scope } from '../generated/api-keys.ts';
import { Field } from '../ui/field.tsx';
import { FormDialog } from '../ui/form-dialog.tsx';

const rights: readonly { scope: Scope; means: string }[] = [
  { scope: 'READ', means: 'reads' },
  { scope: 'WRITE', means: 'creates, cancels and retries jobs' },
  { scope: 'WORK', means: 'claims and works in this workspace' },
  { scope: 'WORK_ALL', means: 'claims and works in every workspace (keys of default alone)' },
  { scope: 'ADMIN', means: 'administers (keys of default alone)' },
];

const dialects: readonly { dialect: Dialect; name: string }[] = [
  { dialect: 'NATIVE', name: 'GraphQL and every REST dialect' },
  { dialect: 'VIDOCU', name: 'Vidocu' },
  { dialect: 'VIDEOCONDUIT', name: 'VideoConduit' },
  { dialect: 'VYDRA', name: 'Vydra' },
  { dialect: 'REVID', name: 'RevidAPI' },
];

/** Makes a key. @param done is given its secret, which cannot be read again */
export function KeyForm({ workspace: { id, name: of }, done, onClose }: { workspace: { id: string; name: string }; done: (secret: string) => Promise<void>; onClose: () => void }) {
  const name = useSignal('');
  const scopes = useSignal<readonly Scope[]>(['READ']);
  const dialect = useSignal<Dialect>('NATIVE');
  const submit = async () => {
    const { secret } = await mutate(MakeKeyDocument, { input: { workspaceId: id, name: name.value.trim(), scopes: [...scopes.value], dialect: dialect.value } });
    // The secret is shown in a dialog of its own.
    onClose();
    await done(secret);
  };
  const toggle = (scope: Scope, on: boolean) => (scopes.value = on ? [...scopes.value, scope] : scopes.value.filter((other) => other !== scope));
  const wrong = (told: string | null) => (scopes.value.length === 0 ? 'Choose at least one: a key without a right can do nothing.' : told);
  return (
    <FormDialog title={`New key of ${of}`} action="Make key" ready={scopes.value.length > 0} submit={submit} onClose={onClose}>
      {(errorAt) => (
        <>
          <Field label="Name" hint="Who or what uses it." error={errorAt('name')}>
            {(field) => <input {...field} required maxLength={200} autocomplete="off" value={name.value} onInput={({ currentTarget }) => (name.value = currentTarget.value)} />}
          </Field>
          <fieldset aria-describedby={wrong(errorAt('scopes')) === null ? undefined : 'key-rights-error'}>
            <legend>Rights</legend>
            {rights.map(({ scope, means }) => (
              <label key={scope} class="check">
                <input type="checkbox" aria-invalid={wrong(errorAt('scopes')) !== null} checked={scopes.value.includes(scope)} onChange={({ currentTarget }) => toggle(scope, currentTarget.checked)} />
                <span>
                  {scope} <span class="soft">{means}</span>
                </span>
              </label>
            ))}
            {wrong(errorAt('scopes')) !== null && (
              <div id="key-rights-error" class="problem" role="alert">
                {wrong(errorAt('scopes'))}
              </div>
            )}
          </fieldset>
          <Field label="Speaks" error={errorAt('dialect')}>
            {(field) => (
              <select {...field} value={dialect.value} onChange={({ currentTarget }) => (dialect.value = dialects.find((one) => one.dialect === currentTarget.value)?.dialect ?? 'NATIVE')}>
                {dialects.map((one) => (
                  <option key={one.dialect} value={one.dialect}>
                    {one.name}
                  </option>
                ))}
              </select>
            )}
          </Field>
        </>
      )}
    </FormDialog>
  );
}
