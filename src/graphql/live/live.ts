import { GraphQLError } from 'graphql';
import type { Services } from '../../services.ts';
import { Broadcasts, type Watching } from './broadcasts.ts';
import { type Connection, StalledConnections } from './connection.ts';
import type { Format } from './member.ts';
import { Quota } from './quota.ts';

/** The state that subscriptions on sockets and event streams share. One per process. */
export class Live {
  readonly broadcasts: Broadcasts;
  readonly stalled: StalledConnections;
  /** PROTOCOL.md, W5. */
  readonly sockets: Quota;
  readonly subscriptions: Quota;
  readonly #limit: number;

  constructor(services: Services) {
    const { stalledSeconds, maxSocketsPerKey, maxSubscriptionsPerKey } = services.config;
    this.broadcasts = new Broadcasts(services);
    this.stalled = new StalledConnections(stalledSeconds * 1_000);
    this.sockets = new Quota(maxSocketsPerKey);
    this.subscriptions = new Quota(maxSubscriptionsPerKey);
    this.#limit = maxSubscriptionsPerKey;
  }

  /**
   * Starts one subscription. Frames may arrive before this resolves. Never rejects.
   *
   * @returns `leave`, to be called when the subscription ends for whatever reason; or the errors why there is nothing to watch
   */
  async watch(
    watching: Watching,
    connection: Connection,
    format: Format,
  ): Promise<{ leave: () => void } | { refused: readonly GraphQLError[] }> {
    const { viewer } = watching.operation;
    if (viewer !== null && !this.subscriptions.take(viewer)) return { refused: [tooMany(this.#limit)] };
    const joined = await this.broadcasts.join(watching, connection, format);
    let counted = viewer !== null;
    const giveBack = () => {
      if (counted && viewer !== null) this.subscriptions.giveBack(viewer);
      counted = false;
    };
    if (joined.refused !== null) {
      giveBack();
      return { refused: joined.refused };
    }
    const leave = () => {
      joined.leave();
      giveBack();
    };
    return { leave };
  }

  /** May be called twice. */
  stop(): void {
    this.stalled.stop();
  }
}

function tooMany(limit: number): GraphQLError {
  return new GraphQLError(
    `This key or token has reached its limit of open subscriptions on this process (${limit} for a key). Close some, or watch many jobs with jobUpdates.`,
    { extensions: { code: 'LIMIT_EXCEEDED' } },
  );
}
