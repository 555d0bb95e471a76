import { isFinal } from '../../src/jobs/model/state-machine.ts';
import { type ResumingClient, quit, resumeOverEvents, resumeOverSocket, type WatchedVersion } from './resuming.ts';

/** Watchers that share one of these. */
const perSocket = 10;

/** Every so many watchers, one has an event stream. */
const perStream = 8;

/** PROTOCOL.md's clients, which find out sooner that their network went dead. */
const hurry = { socket: { '10_000': '1_000' }, events: { '30_000': '5_000' } };

/** Opens clients of several processes in turn. */
export class WatcherClients {
  readonly #urls: readonly string[];
  readonly #key: string;
  readonly #open: ResumingClient[] = [];
  #socket: ResumingClient | null = null;
  #watchers = 0;

  constructor(urls: readonly string[], key: string) {
    this.#urls = urls;
    this.#key = key;
  }

  next(): ResumingClient {
    this.#watchers += 1;
    if (this.#watchers % perStream === 0) return this.#make('events');
    if (this.#socket === null || this.#watchers % perSocket === 0) this.#socket = this.#make('socket');
    return this.#socket;
  }

  close(): void {
    for (const { client } of this.#open) quit(client);
  }

  #make(over: 'socket' | 'events'): ResumingClient {
    const url = this.#urls[this.#open.length % this.#urls.length] ?? '';
    const token = async () => this.#key;
    const made = over === 'socket' ? resumeOverSocket(url, token, hurry.socket) : resumeOverEvents(url, token, hurry.events);
    this.#open.push(made);
    return made;
  }
}

/** Watches a job until it is told how that ended, and begins again where it is told that this is not to be had now. */
export class PatientWatcher {
  readonly jobId: string;
  readonly finals: WatchedVersion[] = [];
  /** Ends that no watcher may see. */
  readonly faults: string[] = [];
  /** It was told of the end, and the subscription completed. */
  readonly heard: Promise<void>;
  readonly #heard = Promise.withResolvers<void>();
  hasHeard = false;

  constructor(client: ResumingClient, jobId: string) {
    this.jobId = jobId;
    this.heard = this.#heard.promise;
    this.#watch(client);
  }

  #watch(client: ResumingClient): void {
    client.watch(
      this.jobId,
      (version) => {
        if (isFinal(version.status)) this.finals.push(version);
      },
      (error) => {
        if (error === null) {
          this.hasHeard = true;
          this.#heard.resolve();
          return;
        }
        if (!isUnavailable(error)) this.faults.push(`a watcher of ${this.jobId} was told ${describe(error)}`);
        setTimeout(() => this.#watch(client), 250);
      },
    );
  }
}

function isUnavailable(error: unknown): boolean {
  return JSON.stringify(error).includes('"UNAVAILABLE"');
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : JSON.stringify(error);
}
