import { describe, expect, test } from 'vitest';
import { parseRedisUrl } from '../../src/bus/redis-url.ts';

const access = { tls: false, username: undefined, password: undefined, protocol: 3, family: 0 };

describe('a REDIS_URL', () => {
  test('names one server, with what it takes to get in', () => {
    expect(parseRedisUrl('redis://cache')).toEqual({
      cluster: false,
      addresses: [{ host: 'cache', port: 6379 }],
      access,
    });
    expect(parseRedisUrl(' rediss://me:p%40ss%3A%2F@cache.internal:6380/3?protocol=2&family=4 ')).toEqual({
      cluster: false,
      addresses: [{ host: 'cache.internal', port: 6380 }],
      access: { tls: true, username: 'me', password: 'p@ss:/', protocol: 2, family: 4 },
    });
    expect(parseRedisUrl('redis://:secret@[::1]:7000')).toMatchObject({
      addresses: [{ host: '::1', port: 7000 }],
      access: { username: undefined, password: 'secret' },
    });
  });

  test('names some nodes of a cluster, which share the way in', () => {
    expect(parseRedisUrl('redis+cluster://one:7001')).toMatchObject({ cluster: true, addresses: [{ host: 'one', port: 7001 }] });
    expect(parseRedisUrl('rediss+cluster://me:secret@one,two:7002,[::1]:7003')).toEqual({
      cluster: true,
      addresses: [
        { host: 'one', port: 6379 },
        { host: 'two', port: 7002 },
        { host: '::1', port: 7003 },
      ],
      access: { ...access, tls: true, username: 'me', password: 'secret' },
    });
  });

  test.each([
    'redis://',
    'redis://:secret@',
    'redis:cache',
    'http://cache',
    'redis+sentinel://cache',
    'redis://host:port',
    'redis://host:70000',
    'redis://one,two',
    'redis+cluster://one,',
    'redis://me:%zz@cache',
    'redis://cache/name',
    'redis://cache?tls=true',
    'redis://cache?protocol=4',
    'redis://cache#1',
    '/run/redis.sock',
  ])('that is %j cannot be read', (text) => {
    expect(parseRedisUrl(text)).toBeUndefined();
  });
});
