import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { messageOf } from '../app/api.ts';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';

interface FormDialogProps {
  title: string;
  /** What its button does: `Make key`. */
  action: string;
  /** What the other button says. */
  dismissal?: string;
  /** What is done cannot be undone. */
  danger?: boolean;
  large?: boolean;
  /** Whether what was filled in may be sent. */
  ready?: boolean;
  /** Does it. What it throws is shown, and the dialog stays. */
  submit: () => Promise<unknown>;
  /** Told when it is done. Not given: the dialog closes. */
  onDone?: () => void;
  onClose: () => void;
  /** @param failure what the last try threw: its issues belong at their fields */
  children: (failure: unknown) => ComponentChildren;
}

/** A dialog with a form. While it is sent nothing closes it: what became of it would be told to nobody. */
export function FormDialog({ title, action, dismissal = 'Cancel', danger = false, large = false, ready = true, submit, onClose, onDone = onClose, children }: FormDialogProps) {
  const busy = useSignal(false);
  const failure = useSignal<unknown>(null);
  const onSubmit = async (event: Event) => {
    event.preventDefault();
    if (!ready || busy.value) return;
    busy.value = true;
    failure.value = null;
    try {
      await submit();
      onDone();
    } catch (error) {
      failure.value = error;
    }
    busy.value = false;
  };
  return (
    <Dialog title={title} large={large} closedBy={busy.value ? 'nothing' : 'anything'} onClose={onClose}>
      <form class="form" onSubmit={(event) => void onSubmit(event)}>
        {children(failure.value)}
        {failure.value !== null && (
          <p class="problem" role="alert">
            {messageOf(failure.value)}
          </p>
        )}
        <div class="row form-end">
          <Button disabled={busy.value} onClick={onClose}>
            {dismissal}
          </Button>
          <Button type="submit" primary danger={danger} busy={busy.value} disabled={!ready}>
            {action}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
