import { useRef } from 'preact/hooks';
import { counted } from '../app/counted.ts';
import { useShortcuts } from '../app/shortcuts.ts';
import { bulkKinds } from '../bulk/bulk-words.ts';
import type { BulkActionKind } from '../generated/bulk.ts';
import { Button } from '../ui/button.tsx';
import { focusHeading } from '../ui/heading.tsx';
import type { Selection } from './job-selection.ts';

/** In order, with the key of each: from the rows there are as many steps to the buttons as there are rows. */
const kinds: readonly { kind: BulkActionKind; key: string }[] = [
  { kind: 'CANCEL', key: 'c' },
  { kind: 'RETRY', key: 'r' },
  { kind: 'DELETE', key: 'd' },
];

/** What can be done to the chosen jobs. */
export function SelectionBar({ selection, order, start }: { selection: Selection; order: readonly string[]; start: (kind: BulkActionKind) => void }) {
  const bar = useRef<HTMLDivElement>(null);
  const count = selection.ids.value.size;
  const everything = selection.everything.value;
  const isEmpty = !everything && count === 0;
  // A button that goes away when it is pressed takes the focus with it.
  const chooseEverything = () => {
    selection.chooseEverything();
    bar.current?.focus();
  };
  useShortcuts('Chosen jobs', [
    ...kinds.map(({ kind, key }) => ({ keys: key, label: bulkKinds[kind].verb, run: () => !isEmpty && start(kind) })),
    { keys: 'A', label: 'Choose all that match', run: () => !isEmpty && chooseEverything() },
  ]);
  if (isEmpty) return null;
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
      {kinds.map(({ kind }) => (
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
