import { effect, signal, type Signal } from '@preact/signals';

/**
 * A choice that this browser remembers, the same in all of its tabs. Use one constant for each, in the module that it belongs to.
 *
 * @param read what a stored value means; null where it means nothing any more
 */
export function setting<Value>(name: string, otherwise: Value, read: (stored: unknown) => Value | null): Signal<Value> {
  const key = `longhaul.${name}`;
  const chosen = signal(remembered(key, read) ?? otherwise);
  effect(() => {
    const { value } = chosen;
    try {
      if (value === otherwise) localStorage.removeItem(key);
      else localStorage.setItem(key, JSON.stringify(value));
    } catch {
      // Storage is off or full: the choice lasts as long as the page.
    }
  });
  addEventListener('storage', (event) => {
    // By null, all was cleared. What is stored now counts, lest two tabs hand each other's changes back and forth.
    if (event.key === key || event.key === null) chosen.value = remembered(key, read) ?? otherwise;
  });
  return chosen;
}

/** Of a setting with a few values. */
export function oneOf<const Value extends string>(values: readonly Value[]): (stored: unknown) => Value | null {
  return (stored) => values.find((value) => value === stored) ?? null;
}

function remembered<Value>(key: string, read: (stored: unknown) => Value | null): Value | null {
  try {
    const text = localStorage.getItem(key);
    return text === null ? null : read(JSON.parse(text));
  } catch {
    return null;
  }
}
