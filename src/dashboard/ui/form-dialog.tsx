import { LonghaulError } from '@longhaul/client';
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { messageOf } from '../app/api.ts';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';
import { focusFirstWrong } from './focus.ts';
import { type ErrorAt, toldIssues } from './told-issues.ts';

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
  /** @param errorAt what the last try was refused for, to be asked by each field: what no field has asked for is told at the end */
  children: (errorAt: ErrorAt) => ComponentChildren;
}

/** A dialog with a form. While it is sent nothing closes it: what became of it would be told to nobody. */
export function FormDialog({ title, action, dismissal = 'Cancel', danger = false, large = false, ready = true, submit, onClose, onDone = onClose, children }: FormDialogProps) {
  const busy = useSignal(false);
  const failure = useSignal<unknown>(null);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => focusFirstWrong(form.current), [failure.value]);
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
  const issues = failure.value instanceof LonghaulError ? failure.value.issues : [];
  const { errorAt, others } = toldIssues(issues);
  const fields = children(errorAt);
  // Asked for once the fields have taken theirs.
  const problems = failure.value === null || issues.length > 0 ? others() : [messageOf(failure.value)];
  return (
    <Dialog title={title} large={large} closedBy={busy.value ? 'nothing' : 'anything'} onClose={onClose}>
      <form class="form" ref={form} onSubmit={(event) => void onSubmit(event)}>
        {fields}
        {problems.map((text) => (
          <p key={text} class="problem" role="alert">
            {text}
          </p>
        ))}
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
