import type { Credentials } from '../credentials.ts';
import type { Http } from '../http.ts';
import { SocketTransport } from './socket.ts';
import type { Transport } from './transport.ts';

/** How long a lesser transport is kept to, in milliseconds, before a break is taken as the occasion to try the best again. */
const triedAgainAfter = 60_000;

/** The ways to the server, best first, and which of them works here. */
export class Live {
  readonly http: Http;
  readonly credentials: Credentials;
  readonly #transports: readonly Transport[];
  #chosen = 0;
  #chosenAt = 0;

  /** @param socket the platform's WebSocket; undefined where there is none */
  constructor(http: Http, credentials: Credentials, socket: unknown) {
    this.http = http;
    this.credentials = credentials;
    const sockets = socket === undefined ? [] : [new SocketTransport(http.url, socket, credentials)];
    this.#transports = [...sockets, events(http, 'events'), events(http, 'polls')];
  }

  /** The one to begin with. */
  get transport(): Transport {
    if (this.#chosen > 0 && performance.now() - this.#chosenAt > triedAgainAfter) this.#chosen = 0;
    return this.#at(this.#chosen);
  }

  /** This one is not let through, although the server answers: the next. After the last comes the first. */
  without(transport: Transport): Transport {
    const at = this.#transports.indexOf(transport);
    // Another watcher may have gone on already.
    if (at === this.#chosen) {
      this.#chosen = (at + 1) % this.#transports.length;
      this.#chosenAt = performance.now();
    }
    return this.#at(this.#chosen);
  }

  #at(index: number): Transport {
    const transport = this.#transports[index];
    if (transport === undefined) throw new RangeError(`There is no transport ${index}.`);
    return transport;
  }
}

/** Loaded when it is needed: in most places a socket is let through. */
function events(http: Http, name: 'events' | 'polls'): Transport {
  return {
    name,
    open: async function* (subscription, signal, onOpen) {
      const { openEvents } = await import('./events.ts');
      yield* openEvents(http, name === 'polls', subscription, signal, onOpen);
    },
  };
}
