import { signal } from '@preact/signals';

/** A tab that was hidden for so long is watched by nobody, in milliseconds. */
const restAfter = 60_000;

/** Whether somebody may be looking at the page. What listens lets go of its socket where nobody does. */
export const watched = signal(true);

let timer: ReturnType<typeof setTimeout> | undefined;

function look(): void {
  clearTimeout(timer);
  if (document.hidden) timer = setTimeout(() => (watched.value = false), restAfter);
  else watched.value = true;
}

document.addEventListener('visibilitychange', look);
look();

/**
 * Follows something to its end: leaves it where nobody looks, and begins again when somebody does.
 *
 * @param left ends it for good
 * @throws what `follow` throws
 */
export async function whileWatched(left: AbortSignal, follow: (signal: AbortSignal) => Promise<void>): Promise<void> {
  for (;;) {
    await untilWatched(left);
    const resting = new AbortController();
    const release = watched.subscribe((isWatched) => {
      if (!isWatched) resting.abort();
    });
    try {
      return await follow(AbortSignal.any([left, resting.signal]));
    } catch (error) {
      if (left.aborted || !resting.signal.aborted) throw error;
    } finally {
      release();
    }
  }
}

function untilWatched(left: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (left.aborted) return reject(left.reason);
    if (watched.peek()) return resolve();
    const release = watched.subscribe((isWatched) => {
      if (isWatched) end(resolve);
    });
    const onLeft = () => end(() => reject(left.reason));
    const end = (settle: () => void) => {
      release();
      left.removeEventListener('abort', onLeft);
      settle();
    };
    left.addEventListener('abort', onLeft);
    return undefined;
  });
}
