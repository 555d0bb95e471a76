import { z } from 'zod';
import type { RedisConnection } from './redis-connection.ts';
import { isRefusal } from './redis-refusal.ts';

/** Where processes count together. */
export interface SharedCounter {
  /**
   * Adds to a key with a time to live; rate-limiter-flexible calls it by this name.
   * @returns the sum, and the milliseconds that the key has left. Rejects while Redis is away.
   */
  rlflxIncr(keyPointsSeconds: string[]): Promise<[number, number]>;
}

/** What a script runs on: one Redis, or the node of a cluster that has its key. */
export interface ScriptRunner extends Pick<RedisConnection, 'ready' | 'complain'> {
  client: { eval(script: string, keys: number, ...keysAndArguments: string[]): Promise<unknown> };
}

/** The key's life starts with its first points; later ones do not prolong it. */
const script = `
  redis.call('SET', KEYS[1], 0, 'EX', ARGV[2], 'NX')
  return {redis.call('INCRBY', KEYS[1], ARGV[1]), redis.call('PTTL', KEYS[1])}`;

const counts = z.tuple([z.int(), z.int()]);

export function createRedisCounter({ client, ready, complain }: ScriptRunner): SharedCounter {
  return {
    async rlflxIncr([key = '', points = '', seconds = '']) {
      if (!ready()) throw new Error('Redis is away');
      try {
        return counts.parse(await client.eval(script, 1, key, points, seconds));
      } catch (error) {
        if (isRefusal(error)) {
          complain(error, 'Redis refuses to count requests: each process counts for itself. Allow its user EVAL (ACL: +eval).');
        }
        throw error;
      }
    },
  };
}
