import { z } from 'zod';
import type { RedisConnection } from './redis-connection.ts';
import { isRefusal } from './redis-refusal.ts';

/** A counter that all processes share. */
export interface SharedCounter {
  /**
   * Adds to a key that expires. rate-limiter-flexible calls it by this name. Rejects while Redis is down.
   * @returns the sum, and how long the key has left in milliseconds
   */
  rlflxIncr(keyPointsSeconds: string[]): Promise<[number, number]>;
}

/** Runs a script on one Redis, or on the cluster node that has its key. */
export interface ScriptRunner extends Pick<RedisConnection, 'ready' | 'complain'> {
  client: { eval(script: string, keys: number, ...keysAndArguments: string[]): Promise<unknown> };
}

/** The key's lifetime starts with its first points; later points do not extend it. */
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
          complain(error, 'Redis refuses to count requests, so each process counts on its own. Allow its user EVAL (ACL: +eval).');
        }
        throw error;
      }
    },
  };
}
