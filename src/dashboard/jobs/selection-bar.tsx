import { useRef } from 'preact/hooks';
import { counted } from '../app/counted.ts';
import { bulkKinds } from '../bulk/bulk-words.ts';
import type { BulkActionKind } from '../generated/bulk.ts';
import { Button } from '../ui/button.tsx';
import { focusHeading } from '../ui/heading.tsx';
import type { Selection } from './job-selection.ts';

const kinds: readonly BulkActionKind[] = ['CANCEL', 'RETRY', 'DELETE'];

/** What can be done to the chosen jobs. */
export function SelectionBar({ selection, order, start }: { selection: Selection; order: readonly string[]; start: (kind: BulkActionKind) => void }) {
  const bar = useRef<HTMLDivElement>(null);
  const count = selection.ids.value.size;
  const everything = selection.everything.value;
  if (!everything && count === 0) return null;
  // A button that goes away when it is pressed takes the focus with it.
  const chooseEverything = () => {
    selection.chooseEverything();
    bar.current?.focus();
  };
  const chooseNone = () => {
    selection.clear();
    focusHeading();
  };
  return (
    <div class="selection-bar card" role="region" aria-label="Chosen jobs" ref={bar} tabIndex={-1}>
      <span role="status">{everything ? 'All jobs that match' : `${counted(count, 'job')} chosen`}</span>
      {!everything && order.every((id) => selection.has(id)) && (
        <Button quiet onClick={chooseEverything}>
          Choose all that match
        </Button>
      )}
      <span class="grow" />
      {kinds.map((kind) => (
        <Button key={kind} danger={kind === 'DELETE'} onClick={() => start(kind)}>
          {bulkKinds[kind].verb}
        </Button>
      ))}
      <Button quiet onClick={chooseNone}>
        Choose none
      </Button>
    </div>
  );
}
