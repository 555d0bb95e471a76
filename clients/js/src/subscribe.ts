import { begin } from './limits.ts';
import type { Live } from './live/live.ts';
import { type Listening, type Updates, updatesOf } from './live/updates.ts';

/**
 * Any subscription, as raw data. After a break it goes on where it was, if its document passes `afterVersion` and selects `version`,
 * passes `after` and selects `cursor`, or passes `afterSequence` and selects `sequence`; any other starts anew.
 */
export function subscribe<Data>(live: Live, query: string, variables: Record<string, unknown>, { onTransport, ...limits }: Listening): Updates<Data> {
  return updatesOf(live, [begin(limits)], () => {
    let place: Record<string, unknown> = {};
    return {
      query,
      newestOnly: false,
      variables: () => ({ ...variables, ...place }),
      take: (data) => {
        place = placeIn(data) ?? place;
        return [data as Data];
      },
    };
  }, { onTransport });
}

/** Where to go on after this event (PROTOCOL.md, Resuming). */
function placeIn(data: Record<string, unknown>): Record<string, unknown> | null {
  const [event] = Object.values(data);
  const last: unknown = Array.isArray(event) ? event.at(-1) : event;
  if (typeof last !== 'object' || last === null) return null;
  if ('cursor' in last) return { after: last.cursor };
  if ('sequence' in last) return { afterSequence: last.sequence };
  return 'version' in last ? { afterVersion: last.version } : null;
}
