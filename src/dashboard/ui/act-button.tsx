import { useSignal } from '@preact/signals';
import { messageOf } from '../app/api.ts';
import { notify } from '../app/notices.tsx';
import { Button, type ButtonProps } from './button.tsx';

/** For what somebody asks for: it is not begun twice, and where it fails it is told why. */
export function useAct(act: () => Promise<unknown>): { busy: boolean; run: () => void } {
  const busy = useSignal(false);
  const run = async () => {
    if (busy.value) return;
    busy.value = true;
    try {
      await act();
    } catch (error) {
      notify(messageOf(error), { kind: 'failed' });
    }
    busy.value = false;
  };
  return { busy: busy.value, run: () => void run() };
}

/** A button for something that takes a while. @param act does it; what it throws is told */
export function ActButton({ act, ...look }: Omit<ButtonProps, 'onClick' | 'busy' | 'type'> & { act: () => Promise<unknown> }) {
  const { busy, run } = useAct(act);
  return <Button {...look} busy={busy} onClick={run} />;
}
