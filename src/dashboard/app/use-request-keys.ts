import { idempotencyKey } from '@longhaul/client';
import { useState } from 'preact/hooks';

/**
 * Idempotency keys for what a component sends: the same for the same content, so that a second press, or another try after a lost answer,
 * does nothing twice.
 */
export function useRequestKeys(): (content: unknown) => string {
  const [keys] = useState(() => new Map<string, string>());
  return (content) => {
    const text = JSON.stringify(content);
    const key = keys.get(text) ?? idempotencyKey();
    keys.set(text, key);
    return key;
  };
}
