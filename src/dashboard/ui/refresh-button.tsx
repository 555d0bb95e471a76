import { ActButton } from './act-button.tsx';

/** Reads the screen again by hand. What reads by itself does not show here: the button would flicker. */
export function RefreshButton({ reload }: { reload: () => Promise<void> }) {
  return <ActButton act={reload}>Refresh</ActButton>;
}
