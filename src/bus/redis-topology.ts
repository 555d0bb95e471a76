import { z } from 'zod';
import type { RedisConnection } from './redis-connection.ts';
import { isRefusal } from './redis-refusal.ts';
import { slotCount } from './redis-slot.ts';
import type { RedisAddress } from './redis-url.ts';

/** How a cluster is laid out, as one of its nodes sees it. */
export interface RedisTopology {
  /** Grows with each failover and each move of slots: of two nodes that disagree, the one with more knows more. */
  epoch: number;
  /** Masters, and the slots of each from the first to the last, both included. */
  ranges: { first: number; last: number; master: RedisAddress }[];
}

const slotNumber = z.int().min(0).max(slotCount - 1);
const node = z.tuple([z.string().nullable(), z.int().min(0).max(65_535)]).rest(z.unknown());
const slots = z.array(z.tuple([slotNumber, slotNumber, node]).rest(z.unknown()));

/**
 * Asks a node of a cluster for the layout. Undefined, and told in the log, where it has none: it is no cluster, or not
 * one yet. Undefined also where the connection ends before the answer. Never rejects.
 */
export async function readTopology(
  { client, complain }: RedisConnection,
  { host }: RedisAddress,
): Promise<RedisTopology | undefined> {
  try {
    const [info, layout] = await Promise.all([client.cluster('INFO'), client.cluster('SLOTS')]);
    const ranges = slots.parse(layout).flatMap(([first, last, [name, port]]) => {
      // "?" is a name that the node was told to give and does not know (cluster-preferred-endpoint-type).
      if (name === '?' || port === 0) return [];
      // A node that does not know its own address means the one at which it was asked.
      return { first, last, master: { host: name || host, port } };
    });
    if (ranges.length > 0) return { epoch: Number(/cluster_current_epoch:(\d+)/.exec(info)?.[1] ?? 0), ranges };
    complain('no slots', 'The Redis cluster has no slots yet. Create it (redis-cli --cluster create); trying again.');
  } catch (error) {
    if (isRefusal(error)) complain(error, clusterAdvice(error));
    else if (error instanceof z.ZodError) complain('unreadable', 'CLUSTER SLOTS is answered in no known form. Use Redis 7 or later.');
  }
  return undefined;
}

function clusterAdvice({ message }: Error): string {
  if (message.startsWith('NOPERM ')) return 'Redis refuses CLUSTER. Allow its user the commands (ACL: +cluster|info +cluster|slots).';
  return 'Redis does not tell its cluster. Write redis:// or rediss:// in REDIS_URL where it is none.';
}
