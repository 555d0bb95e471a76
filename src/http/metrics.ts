import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** What an operator watches: Node's own figures, requests, sockets, watched jobs, the bus. */
export class Metrics {
  readonly registry = new Registry();
  readonly requests = new Histogram({
    name: 'longhaul_http_request_seconds',
    help: 'Time to answer a request, by route, method and status.',
    labelNames: ['route', 'method', 'status'],
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10],
    registers: [this.registry],
  });

  constructor(read: { sockets: () => number; watchedJobs: () => number; busHealthy: () => boolean }) {
    collectDefaultMetrics({ register: this.registry });
    const gauge = (name: string, help: string, value: () => number) =>
      new Gauge({
        name,
        help,
        registers: [this.registry],
        collect() {
          this.set(value());
        },
      });
    gauge('longhaul_websockets', 'Open WebSockets.', read.sockets);
    gauge('longhaul_watched_jobs', 'Jobs that somebody watches on this process.', read.watchedJobs);
    gauge('longhaul_bus_healthy', '1 while messages reach other processes.', () => Number(read.busHealthy()));
  }
}
