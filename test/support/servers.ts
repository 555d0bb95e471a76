import { connect } from 'node:net';

/** The Postgres and Redis for tests. Each test creates its own database and uses its own prefix. */
export const testDatabaseUrl = process.env['TEST_DATABASE_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres';
export const testRedisUrl = process.env['TEST_REDIS_URL'] ?? 'redis://127.0.0.1:6379';

/** Lists the servers that do not answer. */
export async function reachableServers(): Promise<{ missing: string[] }> {
  const answers = await Promise.all([answersAt(testDatabaseUrl, 5432), answersAt(testRedisUrl, 6379)]);
  return { missing: ['Postgres', 'Redis'].filter((_name, index) => !answers[index]) };
}

function answersAt(url: string, defaultPort: number): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port) || defaultPort, timeout: 2_000 });
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
    socket.once('timeout', () => settle(false));
  });
}
