import { Redis } from 'ioredis';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Bus } from '../../src/bus/bus.ts';
import { createRedisBus, type RedisBusOptions } from '../../src/bus/redis-bus.ts';
import { silentLog, type Log } from '../../src/log.ts';
import {
  closedAfterTest,
  connected,
  everythingArrived,
  nextReconnect,
  randomPrefix,
  resolvesWithin2Seconds,
} from '../support/bus.ts';
import { eventually } from '../support/eventually.ts';
import { createRedisServer, hasRedisServer, listenInSilence } from '../support/redis-server.ts';

const within2Seconds = { timeout: 2_000, interval: 20 };
const patience = { timeout: 20_000, interval: 20 };
const subscribes = /cmdstat_subscribe:calls=(\d+)/;
const pings = /cmdstat_ping:calls=(\d+)/;
const hasRedis = hasRedisServer();
const server = await createRedisServer();

function openRedisBus(options: Partial<RedisBusOptions> = {}): Bus {
  return closedAfterTest(createRedisBus({ url: server.url, prefix: randomPrefix(), log: silentLog, ...options }));
}

/** A client that looks at what the bus does in Redis. */
function openAdmin(): Redis {
  const admin = new Redis(server.url, { retryStrategy: () => null });
  onTestFinished(() => admin.disconnect());
  return admin;
}

/** The topics that are bound, without those of the fences of `everythingArrived`. */
async function boundTopics(admin: Redis, prefix: string): Promise<string[]> {
  const channels = (await admin.pubsub('CHANNELS', `${prefix}*`)).map(String);
  return channels.map((channel) => channel.slice(prefix.length)).filter((topic) => !topic.startsWith('fence'));
}

async function statistic(admin: Redis, section: string, pattern: RegExp): Promise<number> {
  return Number(pattern.exec(await admin.info(section))?.[1] ?? 0);
}

/** A bus whose user may do everything, but has no channel. */
async function openWithoutChannels(prefix: string) {
  await openAdmin().call('ACL', 'SETUSER', 'longhaul', 'on', '>secret', '+@all', 'resetchannels');
  const warn = vi.fn<Log['warn']>();
  const url = `redis://longhaul:secret@127.0.0.1:${server.port}`;
  const bus = await connected(openRedisBus({ prefix, url, log: { ...silentLog, warn } }));
  return { bus, warnings: () => warn.mock.calls.map(([, message]) => message) };
}

async function allowChannels(prefix: string): Promise<void> {
  await openAdmin().call('ACL', 'SETUSER', 'longhaul', `&${prefix}*`);
}

async function throwOut(admin: Redis, name: string): Promise<void> {
  const id = new RegExp(`^id=(\\d+) .*name=${name} `, 'm').exec(String(await admin.client('LIST')))?.[1];
  await admin.client('KILL', 'ID', String(id));
}

describe.runIf(hasRedis)('the bus between processes', () => {
  beforeEach(() => server.start());
  afterEach(() => server.stop());

  test('a message reaches the other processes of the installation, and those of no other', async () => {
    const shared = randomPrefix();
    const [here, there, stranger] = await Promise.all([
      connected(openRedisBus({ prefix: shared })),
      connected(openRedisBus({ prefix: shared })),
      connected(openRedisBus({ prefix: randomPrefix() })),
    ]);
    const heard: string[] = [];
    await there.subscribe('work', (message) => heard.push(`there ${message}`));
    await stranger.subscribe('work', (message) => heard.push(`stranger ${message}`));

    here.publish('work', 'a');
    await everythingArrived(here, 1, there);
    await everythingArrived(stranger);

    expect(heard).toEqual(['there a']);
  });

  test('a topic is one SUBSCRIBE, however many listen, and is let go with the last of them', async () => {
    const shared = randomPrefix();
    const bus = await connected(openRedisBus({ prefix: shared }));
    const admin = openAdmin();
    const before = await statistic(admin, 'commandstats', subscribes);

    const unsubscribes = await Promise.all(Array.from({ length: 100 }, () => bus.subscribe('work', () => {})));
    expect(await statistic(admin, 'commandstats', subscribes)).toBe(before + 1);
    expect(await admin.pubsub('NUMSUB', `${shared}work`)).toEqual([`${shared}work`, 1]);

    for (const unsubscribe of unsubscribes.slice(1)) unsubscribe();
    expect(await admin.pubsub('NUMSUB', `${shared}work`)).toEqual([`${shared}work`, 1]);
    unsubscribes[0]?.();
    await everythingArrived(bus);
    expect(await boundTopics(admin, shared)).toEqual([]);
  });

  test('10,000 rounds of subscribing and unsubscribing leave no listener and no channel in Redis', async () => {
    const shared = randomPrefix();
    const bus = await connected(openRedisBus({ prefix: shared }));
    const heard: string[] = [];

    await Promise.all(
      Array.from({ length: 10_000 }, async (_, index) => {
        const unsubscribe = await bus.subscribe(`job:${index % 777}`, (message) => heard.push(message));
        unsubscribe();
      }),
    );
    for (let index = 0; index < 777; index += 1) bus.publish(`job:${index}`, 'a');
    await everythingArrived(bus);

    expect(heard).toEqual([]);
    expect(await boundTopics(openAdmin(), shared)).toEqual([]);
  });

  test('a password and a user in the URL are used, a database is not needed, and RESP2 is spoken where it is asked for', async () => {
    const admin = openAdmin();
    // Who only sends messages needs no SELECT.
    await admin.call('ACL', 'SETUSER', 'longhaul', 'on', '>p@ss:word', '&*', '+@connection', '+@pubsub', '-select');
    const url = `redis://longhaul:p%40ss%3Aword@127.0.0.1:${server.port}/3`;
    const bus = await connected(openRedisBus({ url }));
    const oldProtocol = await connected(openRedisBus({ url: `${server.url}?protocol=2` }));

    expect(String(await admin.client('LIST'))).toMatch(/name=longhaul-subscriber .*user=longhaul/);
    await everythingArrived(bus);
    await everythingArrived(oldProtocol);
  });

  test('an unreadable URL is refused without showing its password', () => {
    let failure: unknown;
    try {
      openRedisBus({ url: 'redis://user:hunter2@host:port' });
    } catch (error) {
      failure = error;
    }

    // As Node prints an error that nobody caught: with its causes and all of their fields.
    expect(inspect(failure)).toContain('REDIS_URL cannot be read');
    expect(inspect(failure)).not.toContain('hunter2');
  });

  test('a wrong password is logged once, without the password, and works when it has become right', async () => {
    const admin = openAdmin();
    await admin.call('ACL', 'SETUSER', 'longhaul', 'on', '>other', '&*', '+@all');
    const warn = vi.fn<Log['warn']>();
    const url = `redis://longhaul:hunter2@127.0.0.1:${server.port}`;
    const bus = openRedisBus({ url, log: { ...silentLog, warn } });
    await vi.waitFor(async () => expect(await statistic(admin, 'errorstats', /WRONGPASS:count=(\d+)/)).toBeGreaterThan(4), patience);

    await admin.call('ACL', 'SETUSER', 'longhaul', '>hunter2');
    await connected(bus);

    expect(JSON.stringify(warn.mock.calls)).not.toContain('hunter2');
    // One for each of the two connections.
    expect(warn.mock.calls.filter(([fields]) => JSON.stringify(fields).includes('WRONGPASS'))).toHaveLength(2);
  });

  test('topics that Redis refuses are had as soon as it allows them', async () => {
    const shared = randomPrefix();
    const { bus, warnings } = await openWithoutChannels(shared);
    const heard: string[] = [];
    const reconnected = nextReconnect(bus);

    await bus.subscribe('work', (message) => heard.push(message));
    expect(bus.healthy()).toBe(false);
    await allowChannels(shared);
    await reconnected;

    expect(bus.healthy()).toBe(true);
    bus.publish('work', 'allowed');
    await everythingArrived(bus);
    expect(heard).toEqual(['allowed']);
    expect(warnings()).toEqual([expect.stringContaining(`&${shared}*`)]);
  });

  test('a bus whose messages Redis refuses is not healthy until it allows them', async () => {
    const shared = randomPrefix();
    const { bus, warnings } = await openWithoutChannels(shared);
    const reconnected = nextReconnect(bus);

    bus.publish('work', 'refused');
    await vi.waitFor(() => expect(bus.healthy()).toBe(false), within2Seconds);
    await allowChannels(shared);
    await reconnected;

    expect(bus.healthy()).toBe(true);
    expect(warnings()).toEqual([expect.stringContaining(`&${shared}*`)]);
  });

  test('more messages at once than may be in flight are dropped, and listeners are told', async () => {
    const bus = await connected(openRedisBus());
    const heard: string[] = [];
    await bus.subscribe('work', (message) => heard.push(message));
    const reconnected = nextReconnect(bus);

    for (let index = 0; index < 25_000; index += 1) bus.publish('work', String(index));
    await reconnected;
    await everythingArrived(bus);

    expect(heard).toEqual(Array.from({ length: 10_000 }, (_, index) => String(index)));
    // With the fence.
    await eventually(() => expect(bus.stats()).toMatchObject({ published: 10_001, dropped: 15_000 }));
  });
});

describe.runIf(hasRedis)('the bus and a Redis that fails', () => {
  afterEach(() => server.stop());

  test('a Redis that is down at start delays nobody, and the topics are bound when it is there', async () => {
    const bus = openRedisBus();
    const heard: string[] = [];
    const reconnected = nextReconnect(bus);

    await bus.subscribe('work', (message) => heard.push(message));
    bus.publish('work', 'nobody is there');
    expect(bus.healthy()).toBe(false);
    await server.start();
    await reconnected;

    expect(bus.healthy()).toBe(true);
    bus.publish('work', 'a');
    await everythingArrived(bus);
    expect(heard).toEqual(['a']);
  });

  test('topics let go before Redis was there are not bound', async () => {
    const shared = randomPrefix();
    const bus = openRedisBus({ prefix: shared });
    const unsubscribe = await bus.subscribe('gone', () => {});
    await bus.subscribe('work', () => {});
    unsubscribe();

    await server.start();
    await connected(bus);

    expect(await boundTopics(openAdmin(), shared)).toEqual(['work']);
  });

  test('after a restart all topics are bound before the listeners of reconnects are called, once', async () => {
    await server.start();
    const shared = randomPrefix();
    const bus = await connected(openRedisBus({ prefix: shared }));
    const heard: string[] = [];
    // So many that Redis, which reads 16 KiB of each connection in turn, would publish before it has subscribed to all.
    const names = Array.from({ length: 20_000 }, (_, index) => `job:${index}`);
    await Promise.all(names.map((name) => bus.subscribe(name, () => heard.push(name))));
    let reconnects = 0;
    bus.onReconnect(() => {
      reconnects += 1;
      bus.publish('job:0', '');
      bus.publish('job:19999', '');
    });
    const reconnected = nextReconnect(bus);

    await server.stop();
    await vi.waitFor(() => expect(bus.healthy()).toBe(false), within2Seconds);
    for (let index = 0; index < 1_000; index += 1) bus.publish('job:1', 'while it was away');
    await server.start();
    await reconnected;
    await everythingArrived(bus);

    expect(heard).toEqual(['job:0', 'job:19999']);
    const admin = openAdmin();
    expect(await boundTopics(admin, shared)).toHaveLength(20_000);
    // 20 of 1000 topics each, and the fence's: none twice.
    expect(await statistic(admin, 'commandstats', subscribes)).toBe(21);
    // Two heartbeats later of each connection.
    await vi.waitFor(async () => expect(await statistic(admin, 'commandstats', pings)).toBeGreaterThan(4), patience);
    expect(reconnects).toBe(1);
  });

  test.each(['subscriber', 'publisher'])('a %s that Redis throws out comes back, and listeners are told', async (name) => {
    await server.start();
    const bus = await connected(openRedisBus());
    const heard: string[] = [];
    await bus.subscribe('work', (message) => heard.push(message));
    const reconnected = nextReconnect(bus);

    await throwOut(openAdmin(), `longhaul-${name}`);
    await reconnected;
    bus.publish('work', 'a');
    await everythingArrived(bus);

    expect(heard).toEqual(['a']);
  });

  test('a frozen Redis is noticed within 2 seconds, delays nobody longer, and is used again when it thaws', async () => {
    await server.start();
    const shared = randomPrefix();
    const bus = await connected(openRedisBus({ prefix: shared }));
    const heard: string[] = [];
    await bus.subscribe('before', (message) => heard.push(message));
    const reconnected = nextReconnect(bus);

    server.freeze();
    await Promise.all([
      resolvesWithin2Seconds(bus.subscribe('during', (message) => heard.push(message))),
      resolvesWithin2Seconds(bus.subscribe('before', () => {}).then((unsubscribe) => unsubscribe())),
      vi.waitFor(() => expect(bus.healthy()).toBe(false), within2Seconds),
    ]);
    await resolvesWithin2Seconds(bus.subscribe('after', (message) => heard.push(message)));
    server.thaw();
    await reconnected;

    expect(bus.healthy()).toBe(true);
    for (const topic of ['before', 'during', 'after']) bus.publish(topic, topic);
    await everythingArrived(bus);
    expect(heard).toEqual(['before', 'during', 'after']);
    const admin = openAdmin();
    for (const topic of ['before', 'during', 'after']) {
      expect(await admin.pubsub('NUMSUB', shared + topic)).toEqual([shared + topic, 1]);
    }
  });

  test('a Redis that accepts connections and does not greet is left and tried again', async () => {
    const silent = await listenInSilence(server.port);
    onTestFinished(() => silent.close());
    const bus = openRedisBus();
    const reconnected = nextReconnect(bus);
    await resolvesWithin2Seconds(bus.subscribe('work', () => {}));

    // Each of the two connections, and each of them again.
    await silent.accepted(4);
    await silent.close();
    await server.start();
    await reconnected;

    expect(bus.healthy()).toBe(true);
  });

  test('closing ends at once while Redis is away, frozen or being connected to', async () => {
    const away = openRedisBus();
    await resolvesWithin2Seconds(away.close());

    const starting = openRedisBus();
    await server.start();
    await resolvesWithin2Seconds(starting.close());

    const frozen = await connected(openRedisBus());
    server.freeze();
    const subscribed = frozen.subscribe('work', () => {});
    await resolvesWithin2Seconds(frozen.close());
    await resolvesWithin2Seconds(subscribed);
  });
});
