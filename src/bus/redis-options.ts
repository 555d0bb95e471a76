import type { Log } from '../log.ts';
import type { BusStats } from './bus.ts';
import type { RedisAccess, RedisAddress } from './redis-url.ts';

export interface RedisBusOptions {
  /** As `parseRedisUrl` takes it: one server or a cluster, with or without TLS, with user and password as needed. */
  url: string;
  /** Put before every topic. Redis has one space of channels for all its databases: it keeps installations apart. */
  prefix: string;
  log: Log;
}

/** What all connections of one bus have in common. */
export interface RedisSharedOptions {
  access: RedisAccess;
  prefix: string;
  log: Log;
  /** Counted up by whoever sees it happen. */
  counts: BusCounts;
}

export type BusCounts = Omit<BusStats, 'topics'>;

/** What is the same for the two connections to one server. */
export interface RedisNodeOptions extends RedisSharedOptions {
  address: RedisAddress;
  /** Of a cluster, where a topic lives on the node of its slot: SSUBSCRIBE and SPUBLISH. */
  sharded: boolean;
  /** The node said that it is no longer the one for a topic. Never called unless `sharded`. */
  onMoved(): void;
}

/** What a node gives to each of its two connections. */
export interface RedisSideOptions extends RedisNodeOptions {
  /** A message may have passed somebody by. */
  onMissed(): void;
  /** The connection may have become healthy; called at least with each heartbeat, twice a second. */
  onHealthy(): void;
}
