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
  danger?: boolean;
  wide?: boolean;
  /** Whether what was filled in may be sent. */
  ready?: boolean;
  /** Does it. The dialog closes after it, or says what was thrown. */
  submit: () => Promise<unknown>;
  onClose: () => void;
  /** @param failure what the last try threw: its issues belong at their fields */
  children: (failure: unknown) => ComponentChildren;
}

/** A dialog with a form, which stays until it is done. */
export function FormDialog({ title, action, dismissal = 'Cancel', danger = false, wide = false, ready = true, submit, onClose, children }: FormDialogProps) {
  const busy = useSignal(false);
  const failure = useSignal<unknown>(null);
  const onSubmit = async (event: Event) => {
    event.preventDefault();
    if (!ready || busy.value) return;
    busy.value = true;
    failure.value = null;
    try {
      await submit();
      onClose();
    } catch (error) {
      failure.value = error;
    }
    busy.value = false;
  };
  return (
    <Dialog title={title} wide={wide} onClose={onClose}>
      <form class="form" onSubmit={(event) => void onSubmit(event)}>
        {children(failure.value)}
        {failure.value !== null && (
          <p class="problem" role="alert">
            {messageOf(failure.value)}
          </p>
        )}
        <div class="row form-end">
          <Button onClick={onClose}>{dismissal}</Button>
          <Button type="submit" primary danger={danger} busy={busy.value} disabled={!ready}>
            {action}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
