import { answering } from '../app/api.ts';
import type { Connection, LiveJobs } from './live-jobs.ts';

const words: Record<Connection, { word: string; explains: string }> = {
  live: { word: 'Live', explains: 'Changes come by themselves. Press to pause (p).' },
  connecting: { word: 'Connecting', explains: 'What changes meanwhile comes as soon as the server is heard. Press to pause (p).' },
  broken: { word: 'Not connected', explains: 'Trying again. What changes meanwhile comes as soon as the server is heard. Press to pause (p).' },
  paused: { word: 'Paused', explains: 'Nothing changes here until you go on. Press to go on (p).' },
  resting: { word: 'Resting', explains: 'This tab was hidden. It goes on by itself.' },
  failed: { word: 'Stopped', explains: 'Press to read the list again.' },
};

/** Whether the list is up to date, and a button that pauses it. */
export function ConnectionMark({ live, retry }: { live: LiveJobs; retry: () => void }) {
  const told = live.connection.value;
  // A request finds out before the socket does that nobody is there.
  const state = told === 'live' && !answering.value ? 'broken' : told;
  const { word, explains } = words[state];
  const press = () => (state === 'failed' ? retry() : live.pause(!live.paused));
  return (
    <span role="status">
      <button type="button" class={`connection ${state}`} title={live.problem.value ?? explains} aria-pressed={state === 'paused'} onClick={press}>
        <span class="dot" aria-hidden="true" />
        {word}
      </button>
    </span>
  );
}
