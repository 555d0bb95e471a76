import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';

/** Goes onto the input of a field: `<input {...field} />`. */
export interface FieldAttributes {
  id: string;
  'aria-invalid': boolean;
  'aria-describedby': string | undefined;
}

/**
 * A labelled input with its hint and its error.
 *
 * @param error what is wrong and what to do; null where nothing is
 */
export function Field({ label, hint, error = null, children }: { label: ComponentChildren; hint?: ComponentChildren; error?: string | null; children: (field: FieldAttributes) => ComponentChildren }) {
  const id = useId();
  const described = [hint !== undefined && `${id}-hint`, error !== null && `${id}-error`].filter((one) => typeof one === 'string').join(' ');
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({ id, 'aria-invalid': error !== null, 'aria-describedby': described === '' ? undefined : described })}
      {hint !== undefined && (
        <div id={`${id}-hint`} class="hint">
          {hint}
        </div>
      )}
      {error !== null && (
        <div id={`${id}-error`} class="problem" role="alert">
          {error}
        </div>
      )}
    </div>
  );
}
