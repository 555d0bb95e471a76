import { isFinal } from '@longhaul/client';
import { useSignal } from '@preact/signals';
import { counted } from '../app/counted.ts';
import { hiddenText } from '../app/json-values.ts';
import { useShortcuts } from '../app/shortcuts.ts';
import { mutate } from '../app/mutate.ts';
import { notify } from '../app/notices.tsx';
import { useRequestKeys } from '../app/use-request-keys.ts';
import { fromHere, go, href } from '../app/router.ts';
import { can } from '../app/session.ts';
import { CancelThisJobDocument, RetryThisJobDocument, type WholeJobFragment } from '../generated/job.ts';
import { useAct } from '../ui/act-button.tsx';
import { Button } from '../ui/button.tsx';
import { copyText } from '../ui/copy.tsx';
import { Field } from '../ui/field.tsx';
import { FormDialog } from '../ui/form-dialog.tsx';
import { Menu } from '../ui/menu.tsx';
import { asCommand, asCurl, asGraphql, type Recipe } from './copy-as.ts';

/** What one can do with the job. @param input undefined until it was read */
export function JobActions({ job, input, reload }: { job: WholeJobFragment; input: unknown; reload: () => void }) {
  const asking = useSignal(false);
  const { id, status } = job;
  const mayWrite = can('WRITE');
  const cancellable = mayWrite && !isFinal(status);
  const retryable = mayWrite && (status === 'FAILED' || status === 'CANCELLED');
  const keyFor = useRequestKeys();
  const retry = useAct(async () => {
    const onward = fromHere();
    const { job: made } = await mutate(RetryThisJobDocument, { id, key: keyFor(id) });
    const isThere = onward(['jobs', made.id]);
    notify('A new job was created from it.', { link: isThere ? { label: 'The one before', href: href(['jobs', id]) } : { label: 'Show', href: href(['jobs', made.id]) } });
  });
  const again = () => go(['new'], { from: id });
  useShortcuts('Job', [
    ...(cancellable ? [{ keys: 'c', label: 'Cancel', run: () => (asking.value = true) }] : []),
    ...(retryable ? [{ keys: 'r', label: 'Retry', run: retry.run }] : []),
    ...(mayWrite ? [{ keys: 'e', label: 'Run again with changes', run: again }] : []),
  ]);
  return (
    <>
      {cancellable && (
        <Button danger onClick={() => (asking.value = true)}>
          Cancel
        </Button>
      )}
      {retryable && (
        <Button primary busy={retry.busy} onClick={retry.run}>
          Retry
        </Button>
      )}
      {mayWrite && <Button onClick={again}>Run again with changes</Button>}
      {input !== undefined && <CopyAs recipe={{ type: job.type, input, tags: job.tags, priority: job.priority }} />}
      {asking.value && <Cancelling id={id} onClose={() => (asking.value = false)} reload={reload} />}
    </>
  );
}

async function copy(text: string): Promise<void> {
  if (await copyText(text)) notify(`Copied. No key is in it: programs read LONGHAUL_KEY.${text.includes(hiddenText) ? ' Fill in what is •••.' : ''}`);
}

function CopyAs({ recipe }: { recipe: Recipe }) {
  const url = new URL('.', location.href).href.replace(/\/$/, '');
  return (
    <Menu label="Copy as">
      <Button quiet onClick={() => void copy(asCurl(recipe, url))}>
        curl
      </Button>
      <Button quiet onClick={() => void copy(asGraphql(recipe))}>
        GraphQL
      </Button>
      <Button quiet onClick={() => void copy(asCommand(recipe, url))}>
        Command
      </Button>
    </Menu>
  );
}

function Cancelling({ id, onClose, reload }: { id: string; onClose: () => void; reload: () => void }) {
  const reason = useSignal('');
  const cancel = async () => {
    try {
      const { creditsRefunded } = await mutate(CancelThisJobDocument, { id, reason: reason.value.trim() || null });
      notify(`Cancelled. ${counted(creditsRefunded, 'credit')} refunded.`);
    } finally {
      // Refused, it has ended otherwise.
      reload();
    }
  };
  return (
    <FormDialog title="Cancel this job?" action="Cancel the job" dismissal="Keep it" danger submit={cancel} onClose={onClose}>
      {(errorAt) => (
        <>
          <p>It ends at once and for good. Its worker is told to stop, and its credits are refunded.</p>
          <Field label="Reason" hint="Optional. Shown with the job." error={errorAt('reason')}>
            {(field) => <input {...field} maxLength={1000} autocomplete="off" value={reason.value} onInput={({ currentTarget }) => (reason.value = currentTarget.value)} />}
          </Field>
        </>
      )}
    </FormDialog>
  );
}
