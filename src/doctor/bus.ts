import { createRedisBus } from '../bus/redis-bus.ts';
import { newId } from '../database/ids.ts';
import type { Damage } from './examination.ts';
import { silentLog } from '../log.ts';

/** How long a message may take. */
const patienceMilliseconds = 3_000;

const remedy = 'Look at Redis and the way there. Until then watchers learn of changes up to 5 s later.';

/** Whether a message arrives that is sent over Redis. */
export async function busDamages(url: string): Promise<Damage[]> {
  const bus = createRedisBus({ url, prefix: `longhaul:doctor:${newId()}:`, log: silentLog });
  const arrived = Promise.withResolvers<boolean>();
  const tooLate = setTimeout(() => arrived.resolve(false), patienceMilliseconds);
  // What is sent before the connection is there reaches nobody.
  const sending = setInterval(() => bus.publish('examined', ''), 100);
  try {
    await bus.subscribe('examined', () => arrived.resolve(true));
    return (await arrived.promise) ? [] : [{ what: `no message came back within ${patienceMilliseconds / 1_000} s`, remedy }];
  } finally {
    clearInterval(sending);
    clearTimeout(tooLate);
    await bus.close();
  }
}
