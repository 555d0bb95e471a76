import type { Log } from '../log.ts';

export interface RedisBusOptions {
  /** As ioredis takes it: `redis://` or `rediss://`, with user, password and database as needed. */
  url: string;
  /** Put before every topic. Redis has one space of channels for all its databases: it keeps installations apart. */
  prefix: string;
  log: Log;
}

/** What the bus gives to each of its two connections. */
export interface RedisSideOptions extends RedisBusOptions {
  /** A message may have passed somebody by. */
  onMissed(): void;
  /** The connection may have become healthy; called at least with each heartbeat, twice a second. */
  onHealthy(): void;
}
