import { z } from 'zod';
import type { SharedCounter } from '../rate-limit/rate-limiter.ts';
import type { RedisNode } from './redis-node.ts';
import { isRefusal } from './redis-refusal.ts';

/** The key lives from its first points on, and is not prolonged by others. */
const script = `
  redis.call('SET', KEYS[1], 0, 'EX', ARGV[2], 'NX')
  return {redis.call('INCRBY', KEYS[1], ARGV[1]), redis.call('PTTL', KEYS[1])}`;

const counts = z.tuple([z.int(), z.int()]);

/** Counts on the node that has the key, over the connection that publishes. */
export function createRedisCounter(nodeOf: (key: string) => RedisNode | undefined): SharedCounter {
  return {
    async rlflxIncr([key = '', points = '', seconds = '']): Promise<[number, number]> {
      const node = nodeOf(key);
      if (node === undefined || !node.connection.ready()) throw new Error('Redis is away');
      const { client, complain } = node.connection;
      try {
        const answer: unknown = await client.eval(script, 1, key, points, seconds);
        const [sum, milliseconds] = counts.parse(answer);
        return [sum, milliseconds];
      } catch (error) {
        if (isRefusal(error)) {
          complain(error, 'Redis refuses to count requests: each process counts for itself. Allow its user EVAL (ACL: +eval).');
        }
        throw error;
      }
    },
  };
}
