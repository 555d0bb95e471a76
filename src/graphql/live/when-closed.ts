import type { ServerResponse } from 'node:http';

/** Calls `then` when the response closes; at once if it already has, because then no event follows. */
export function whenClosed(response: ServerResponse, then: () => void): void {
  if (response.closed) then();
  else response.once('close', then);
}
