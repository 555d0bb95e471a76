import type { ComponentChildren } from 'preact';
import { FormDialog } from './form-dialog.tsx';

interface ConfirmProps {
  title: string;
  /** What the button does: `Delete schedule`. */
  action: string;
  danger?: boolean;
  /** What happens then. */
  children: ComponentChildren;
  /** Does it. The dialog closes after it, or says what was thrown. */
  confirm: () => Promise<unknown>;
  onClose: () => void;
}

/** Asks before something is done, and stays until it is. */
export function Confirm({ children, confirm, ...asked }: ConfirmProps) {
  return (
    <FormDialog {...asked} submit={confirm}>
      {() => children}
    </FormDialog>
  );
}
