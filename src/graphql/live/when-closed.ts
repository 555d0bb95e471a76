import type { ServerResponse } from 'node:http';

/** Calls when the response is closed; at once if it already is, because then no event follows. */
export function whenClosed(response: ServerResponse, then: () => void): void {
  if (response.closed) then();
  else response.once('close', then);
}
