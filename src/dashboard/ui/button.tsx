import type { ComponentChildren } from 'preact';

export interface ButtonProps {
  children: ComponentChildren;
  onClick?: ((event: MouseEvent) => void) | undefined;
  type?: 'button' | 'submit';
  /** The one that is meant on this screen or in this dialog. */
  primary?: boolean;
  /** What it does cannot be undone. */
  danger?: boolean;
  /** Without a frame. */
  quiet?: boolean;
  /** Being carried out: it cannot be pressed again. It keeps the focus, which what is disabled loses. */
  busy?: boolean;
  disabled?: boolean;
  title?: string;
  /** Where the content is a sign. */
  label?: string;
  pressed?: boolean;
}

export function Button({ children, onClick, type = 'button', primary, danger, quiet, busy = false, disabled = false, title, label, pressed }: ButtonProps) {
  const look = ['button', primary && 'primary', danger && 'danger', quiet && 'quiet'].filter((name) => typeof name === 'string').join(' ');
  return (
    <button type={type} class={look} disabled={disabled} aria-disabled={busy} aria-busy={busy} title={title} aria-label={label} aria-pressed={pressed} onClick={busy ? refuse : onClick}>
      {children}
    </button>
  );
}

/** Enter in a form presses its button, too. */
function refuse(event: Event): void {
  event.preventDefault();
}
