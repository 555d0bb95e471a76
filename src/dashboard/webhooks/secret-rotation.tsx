import { useSignal } from '@preact/signals';
import { mutate } from '../app/mutate.ts';
import { NewSigningSecretDocument } from '../generated/webhooks.ts';
import { Button } from '../ui/button.tsx';
import { Confirm } from '../ui/confirm.tsx';
import { SecretDialog } from '../ui/secret-dialog.tsx';

/** Gives the workspace a new secret that signs its webhooks. */
export function SecretRotation() {
  const asking = useSignal(false);
  const secret = useSignal<string | null>(null);
  const rotate = async () => {
    secret.value = (await mutate(NewSigningSecretDocument, {})).secret;
  };
  return (
    <>
      <Button onClick={() => (asking.value = true)}>New signing secret</Button>
      {asking.value && (
        <Confirm title="Make a new signing secret?" action="Make new secret" confirm={rotate} onClose={() => (asking.value = false)}>
          <p>Receivers check webhooks by this secret. For 24 hours webhooks are signed with the old one as well: give the new one to every receiver in this time.</p>
        </Confirm>
      )}
      {secret.value !== null && (
        <SecretDialog title="New signing secret" secret={secret.value} onClose={() => (secret.value = null)}>
          <p>Webhooks are signed with it from now on.</p>
        </SecretDialog>
      )}
    </>
  );
}
