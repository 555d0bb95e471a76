import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { Notices } from '../app/notices.tsx';
import { dialogClosed, dialogOpens } from '../app/open-dialogs.ts';

interface DialogProps {
  title: string;
  /** Render it no more. */
  onClose: () => void;
  /** `anything`: also Escape and a press beside it. `buttons`: what it shows is not to be lost by a slip. `nothing`: while it does something. */
  closedBy?: 'anything' | 'buttons' | 'nothing';
  children: ComponentChildren;
  /** Its buttons. */
  footer?: ComponentChildren;
  large?: boolean;
}

/** A modal dialog, open as long as it is rendered. The focus goes back to where it was. */
export function Dialog({ title, onClose, closedBy = 'anything', children, footer, large = false }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const left = useRef(false);
  const heading = useId();
  useEffect(() => {
    const { current } = dialog;
    dialogOpens(heading);
    current?.showModal();
    // What it is for comes first, not the way out of it.
    current?.querySelector<HTMLElement>('.dialog-content :is(input, select, textarea, button):enabled')?.focus();
    return () => {
      left.current = true;
      current?.close();
      dialogClosed(heading);
    };
  }, []);
  const onCancel = (event: Event) => {
    event.preventDefault();
    if (closedBy === 'anything') onClose();
  };
  // Asked for the second time, a browser closes it without asking us.
  const onClosed = () => {
    if (left.current) return;
    if (closedBy === 'anything') onClose();
    else dialog.current?.showModal();
  };
  return (
    <dialog
      ref={dialog}
      class={large ? 'dialog large' : 'dialog'}
      aria-labelledby={heading}
      onCancel={onCancel}
      onClose={onClosed}
      onMouseDown={(event) => closedBy === 'anything' && isBeside(event) && onClose()}
    >
      <div class="dialog-box">
        <header>
          <h2 id={heading}>{title}</h2>
          <button type="button" class="button quiet" aria-label="Close" disabled={closedBy === 'nothing'} onClick={onClose}>
            ×
          </button>
        </header>
        <Notices dialog={heading} />
        <div class="dialog-content">{children}</div>
        {footer !== undefined && <footer>{footer}</footer>}
      </div>
    </dialog>
  );
}

/** A press on the dialog itself is one on its backdrop, or on its scrollbar. */
function isBeside({ target, currentTarget, clientX, clientY }: MouseEvent): boolean {
  if (target !== currentTarget || !(target instanceof Element)) return false;
  const { left, right, top, bottom } = target.getBoundingClientRect();
  return clientX < left || clientX >= right || clientY < top || clientY >= bottom;
}
