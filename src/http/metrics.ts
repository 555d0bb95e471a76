import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Bus } from '../bus/bus.ts';
import type { Loop } from '../concurrency/loop.ts';
import type { BuiltIns } from '../jobs/workers/built-ins.ts';
import type { InstallationMetrics } from '../metrics/installation-metrics.ts';
import type { WorkMetrics } from '../metrics/work-metrics.ts';

/** Figures that are read when `/metrics` is asked for. */
interface Readings {
  sockets: () => number;
  eventStreams: () => number;
  subscriptions: () => number;
  broadcasts: () => number;
  stalledConnections: () => number;
  watchedCredentials: () => number;
  watchedJobs: () => number;
  watchedLogs: () => number;
  listeningWorkers: () => number;
  waitingClaims: () => number;
  builtIns: BuiltIns;
  uploadsUnderWay: () => number;
  errors: () => { code: string; status: number; count: number }[];
  room: { isFull: boolean; freeBytes: number };
  bus: Pick<Bus, 'healthy' | 'stats'>;
  loops: readonly Pick<Loop, 'name' | 'succeededAt' | 'isOverdue'>[];
  pools: () => { pool: string; size: number; inUse: number; waiting: number }[];
  work: WorkMetrics;
  installation: InstallationMetrics;
}

/** A request to a REST dialect, as far as the metrics tell such requests apart. */
interface MeteredCall {
  dialect: { name: string };
  route: { method: string; path: string };
}

/** What an operator watches: Node's own figures, requests, sockets, watched jobs, the bus. */
export class Metrics {
  readonly registry = new Registry();
  readonly #requests = new Histogram({
    name: 'longhaul_http_request_seconds',
    help: 'Time to answer a request, by route, method and status.',
    labelNames: ['route', 'method', 'status'],
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10],
    registers: [this.registry],
  });

  readonly #claims = new Histogram({
    name: 'longhaul_claim_seconds',
    help: 'Time to answer a claim over HTTP, with its wait for work. No longhaul_http_request_seconds has it.',
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 30],
    registers: [this.registry],
  });

  readonly #dialectRequests = new Counter({
    name: 'longhaul_dialect_requests_total',
    help: 'Requests to the REST dialects, by dialect and route: what clients still have to move from.',
    labelNames: ['dialect', 'route'],
    registers: [this.registry],
  });

  readonly #installation: InstallationMetrics;

  constructor(read: Readings) {
    this.#installation = read.installation;
    for (const metric of [...read.work.all, ...read.installation.all]) this.registry.registerMetric(metric);
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
    gauge('longhaul_event_streams', 'Open event streams.', read.eventStreams);
    gauge('longhaul_subscriptions', 'Subscriptions on sockets and event streams.', read.subscriptions);
    gauge('longhaul_broadcasts', 'Subscriptions carried out: those of the same kind share one.', read.broadcasts);
    gauge('longhaul_stalled_connections', 'Connections that read too slowly just now.', read.stalledConnections);
    gauge('longhaul_watched_credentials', 'Sockets, streams and claims whose key is looked at again.', read.watchedCredentials);
    gauge('longhaul_watched_jobs', 'Jobs that somebody watches on this process.', read.watchedJobs);
    gauge('longhaul_watched_logs', 'Jobs whose log somebody watches on this process.', read.watchedLogs);
    gauge('longhaul_listening_workers', 'Workers that are told on this process what they lose.', read.listeningWorkers);
    gauge('longhaul_waiting_claims', 'Claims that wait for work on this process.', read.waitingClaims);
    gauge('longhaul_uploads_under_way', 'Requests that send files to this process.', read.uploadsUnderWay);
    gauge('longhaul_volume_full', '1 while there is no room for result files, and no job that writes one is begun.', () => Number(read.room.isFull));
    gauge('longhaul_volume_free_bytes', 'Room on the volume of the result files.', () => read.room.freeBytes);
    gauge('longhaul_bus_healthy', '1 while messages reach other processes.', () => Number(read.bus.healthy()));
    gauge('longhaul_bus_topics', 'Topics that this process listens to.', () => read.bus.stats().topics);
    const builtIn = new Gauge({
      name: 'longhaul_built_in_type',
      help: '1 for a job type that built-in workers like this process take, 0 for one that they would take if they had ffmpeg, or its engine.',
      labelNames: ['type'],
      registers: [this.registry],
    });
    for (const type of read.builtIns.types) builtIn.set({ type }, 1);
    for (const type of read.builtIns.missing.keys()) builtIn.set({ type }, 0);
    const lastSuccess = new Gauge({
      name: 'longhaul_last_success_timestamp_seconds',
      help: 'When the work that a process does by itself last succeeded: claims, sweeps, deliveries, the feed.',
      labelNames: ['work'],
      registers: [],
      collect() {
        for (const { name, succeededAt } of read.loops) if (succeededAt !== null) this.set({ work: name }, succeededAt / 1_000);
      },
    });
    this.registry.registerMetric(lastSuccess);
    const labelled = (name: string, help: string, label: string, values: () => [string, number][]) =>
      this.registry.registerMetric(
        new Gauge({
          name,
          help,
          labelNames: [label],
          registers: [],
          collect() {
            for (const [of, value] of values()) this.set({ [label]: of }, value);
          },
        }),
      );
    labelled('longhaul_overdue_work', '1 while work that a process does by itself fails or hangs.', 'work', () =>
      read.loops.map(({ name, isOverdue }) => [name, Number(isOverdue)]),
    );
    labelled('longhaul_database_connections', 'The most connections of a pool.', 'pool', () => read.pools().map(({ pool, size }) => [pool, size]));
    labelled('longhaul_database_connections_in_use', 'Connections in use.', 'pool', () => read.pools().map(({ pool, inUse }) => [pool, inUse]));
    labelled('longhaul_database_callers_waiting', 'Callers that wait for a connection.', 'pool', () =>
      read.pools().map(({ pool, waiting }) => [pool, waiting]),
    );
    const errors = new Counter({
      name: 'longhaul_graphql_errors_total',
      help: 'Errors answered over GraphQL, also with HTTP 200, by code: in `errors`, and expected ones as members of a union.',
      labelNames: ['code', 'status'],
      registers: [],
      collect() {
        this.reset();
        for (const { code, status, count } of read.errors()) this.inc({ code, status: String(status) }, count);
      },
    });
    this.registry.registerMetric(errors);
    /** For what counts by itself. */
    const counter = (name: string, help: string, value: () => number) =>
      new Counter({
        name,
        help,
        registers: [this.registry],
        collect() {
          this.reset();
          this.inc(value());
        },
      });
    counter('longhaul_bus_published_total', 'Messages that the bus has taken.', () => read.bus.stats().published);
    counter('longhaul_bus_received_total', 'Messages that came in.', () => read.bus.stats().received);
    counter('longhaul_bus_dropped_total', 'Messages that reached nobody.', () => read.bus.stats().dropped);
    counter('longhaul_bus_outages_total', 'Connections to Redis that were lost.', () => read.bus.stats().outages);
  }

  /** The answer to a scrape. */
  async scrape(): Promise<string> {
    await this.#installation.refresh();
    return this.registry.metrics();
  }

  /** @param route as the router writes it */
  answered(route: string, method: string, status: number, seconds: number): void {
    this.#requests.observe({ route, method, status: String(status) }, seconds);
  }

  answeredClaim(seconds: number): void {
    this.#claims.observe(seconds);
  }

  answeredCall({ dialect, route }: MeteredCall): void {
    this.#dialectRequests.inc({ dialect: dialect.name.toLowerCase(), route: `${route.method} ${route.path}` });
  }
}
