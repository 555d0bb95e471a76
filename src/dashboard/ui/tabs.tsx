import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';

/** Some views of one thing, one of which is shown. */
export function Tabs<Name extends string>({ tabs, chosen, choose, children, label }: { tabs: readonly { name: Name; text: string }[]; chosen: Name; choose: (name: Name) => void; children: ComponentChildren; label: string }) {
  const id = useId();
  const move = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step === 0) return;
    const at = tabs.findIndex(({ name }) => name === chosen);
    const next = tabs[(at + step + tabs.length) % tabs.length];
    if (next === undefined) return;
    choose(next.name);
    document.getElementById(`${id}-${next.name}`)?.focus();
  };
  return (
    <div class="tabs">
      <div role="tablist" aria-label={label} onKeyDown={move}>
        {tabs.map(({ name, text }) => (
          <button key={name} type="button" role="tab" id={`${id}-${name}`} aria-controls={`${id}-view`} aria-selected={name === chosen} tabIndex={name === chosen ? 0 : -1} onClick={() => choose(name)}>
            {text}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${id}-view`} aria-labelledby={`${id}-${chosen}`} tabIndex={0}>
        {children}
      </div>
    </div>
  );
}
