import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { Field } from './field.tsx';
import { FormDialog } from './form-dialog.tsx';

interface ConfirmProps {
  title: string;
  /** What the button does: `Delete schedule`. */
  action: string;
  danger?: boolean;
  /** What has to be typed first, for what reaches far. */
  typed?: string;
  /** What happens then. */
  children: ComponentChildren;
  /** Does it. The dialog closes after it, or says what was thrown. */
  confirm: () => Promise<unknown>;
  onClose: () => void;
}

/** Asks before something is done, and stays until it is. */
export function Confirm({ title, action, danger = false, typed, children, confirm, onClose }: ConfirmProps) {
  const text = useSignal('');
  return (
    <FormDialog title={title} action={action} danger={danger} ready={typed === undefined || text.value.trim() === typed} submit={confirm} onClose={onClose}>
      {() => (
        <>
          {children}
          {typed !== undefined && (
            <Field label={`Type ${typed} to go on`}>{(field) => <input {...field} autocomplete="off" value={text.value} onInput={({ currentTarget }) => (text.value = currentTarget.value)} />}</Field>
          )}
        </>
      )}
    </FormDialog>
  );
}
