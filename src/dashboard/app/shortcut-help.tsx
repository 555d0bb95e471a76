import { signal } from '@preact/signals';
import { Dialog } from '../ui/dialog.tsx';
import { shortcuts } from './shortcuts.ts';

const open = signal(false);

export function showShortcutHelp(): void {
  open.value = true;
}

/** The list of all keys that do something now. */
export function ShortcutHelp() {
  if (!open.value) return null;
  return (
    <Dialog title="Keys" onClose={() => (open.value = false)}>
      <div class="shortcut-help">
        {shortcuts.value.map(({ group, entries }) => (
          <section key={group}>
            <h3>{group}</h3>
            <dl>
              {entries.map(({ keys, label }) => (
                <div key={keys}>
                  <dt>
                    {keys.split(' ').map((key) => (
                      <kbd key={key}>{shown(key)}</kbd>
                    ))}
                  </dt>
                  <dd>{label}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}

function shown(key: string): string {
  return key.replace('Shift+', '⇧ ').replace('ArrowDown', '↓').replace('ArrowUp', '↑').replace('Escape', 'Esc');
}
