import { hash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import packageJson from '../../package.json' with { type: 'json' };
import type { Services } from '../services.ts';
import { bearerIn, unauthenticated } from '../workspaces/authenticate.ts';
import type { Metrics } from './metrics.ts';

/** What /health/ready may say, with the HTTP status. OPERATIONS.md explains each. */
export const readyStatuses = { ready: 200, stopping: 503, unavailable: 503 } as const;

/**
 * GET /health/live, /health/ready and /health, without a key, and /metrics, with METRICS_TOKEN where that is set.
 *
 * @param isDraining whether the process is about to stop
 */
export function healthRoutes(app: FastifyInstance, services: Services, metrics: Metrics, isDraining: () => boolean): void {
  const { config: settings, database, bus, room, loops } = services;
  // Not for pages of other origins, which may be open in a browser of the operator's network.
  const config = { forPages: false };

  /** What this process needs in order to do its part now. Takes two seconds at most. */
  const look = async () => {
    const up = await database.ready();
    const overdue = loops.filter((loop) => loop.isOverdue).map(({ name }) => name);
    // An api serves while its sweeps fail, for other processes sweep too. A worker that cannot claim or sweep does nothing.
    const works = settings.role !== 'worker' || overdue.length === 0;
    return {
      ready: up && works && !isDraining(),
      parts: { database: up ? 'up' : 'down', bus: bus.healthy() ? 'up' : 'down', volume: room.isFull ? 'full' : 'writable', overdue },
    };
  };

  app.get('/health/live', { config }, async () => ({ status: 'live' }));

  // 503 while the database is away or does not write, and before a stop. Without the bus watchers wait some seconds longer,
  // and the process still serves.
  app.get('/health/ready', { config }, async (_request, reply) => {
    const { ready, parts } = await look();
    const status = ready ? 'ready' : isDraining() ? 'stopping' : 'unavailable';
    return reply.code(readyStatuses[status]).send({ status, ...parts });
  });

  // For people: always 200.
  app.get('/health', { config }, async () => {
    const { ready, parts } = await look();
    const lastSuccess = loops.map(({ name, succeededAt }) => [name, succeededAt === null ? null : new Date(succeededAt).toISOString()]);
    return {
      ready,
      stopping: isDraining(),
      role: settings.role,
      versions: { longhaul: packageJson.version, node: process.versions.node },
      ...parts,
      lastSuccess: Object.fromEntries(lastSuccess),
    };
  });

  app.get('/metrics', { config }, async ({ headers }, reply) => {
    if (settings.metricsToken !== null && !isSame(bearerIn(headers) ?? '', settings.metricsToken)) {
      throw unauthenticated('METRICS_TOKEN guards this', 'missing');
    }
    return reply.type(metrics.registry.contentType).send(await metrics.scrape());
  });
}

/** Takes as long for any two texts. */
function isSame(one: string, other: string): boolean {
  const [first, second] = [one, other].map((text) => hash('sha256', text, 'buffer'));
  return first !== undefined && second !== undefined && timingSafeEqual(first, second);
}
