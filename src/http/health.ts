import type { FastifyInstance } from 'fastify';
import type { Services } from '../services.ts';
import type { Metrics } from './metrics.ts';

/** GET /health/live, /health/ready and /metrics, without a key. */
export function healthRoutes(app: FastifyInstance, { database, bus }: Services, { registry }: Metrics): void {
  // Not for pages of other origins, which may be open in a browser of the operator's network.
  const config = { forPages: false };
  app.get('/health/live', { config }, async () => ({ status: 'live' }));

  // 503 while the database is away or does not write. Without the bus watchers wait some seconds longer, and the process still
  // serves.
  app.get('/health/ready', { config }, async (_request, reply) => {
    const up = await database.ready();
    return reply.code(up ? 200 : 503).send({
      status: up ? 'ready' : 'unavailable',
      database: up ? 'up' : 'down',
      bus: bus.healthy() ? 'up' : 'down',
    });
  });

  app.get('/metrics', { config }, async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()));
}
