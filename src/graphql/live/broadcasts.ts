import { getVariableValues, GraphQLError } from 'graphql';
import { FairQueue } from '../../concurrency/fair-queue.ts';
import { Turns } from '../../concurrency/turns.ts';
import type { Services } from '../../services.ts';
import type { Viewer } from '../../workspaces/viewer.ts';
import type { Operation } from '../operation.ts';
import { publicError } from '../public-error.ts';
import { schema } from '../schema.ts';
import { Broadcast } from './broadcast.ts';
import type { Connection } from './connection.ts';
import { GraphQLExecution, type LiveOperation } from './execution.ts';
import { type Format, Member } from './member.ts';
import type { LivePlan } from './plan.ts';

/** One subscription of one watcher. */
export interface Watching {
  operation: Operation;
  plan: LivePlan;
  /** The watcher's position from the Last-Event-ID header, not from its document. */
  lastEventId: string | null;
}

/** A function to leave, or the errors why there is nothing to watch. */
type Joined = { leave: () => void; refused: null } | { leave: null; refused: readonly GraphQLError[] };

/** Lets watchers of the same thing share one execution (PROTOCOL.md, S1). */
export class Broadcasts {
  readonly #services: Services;
  readonly #turns = new Turns(new FairQueue());
  readonly #byKey = new Map<string, Broadcast>();
  #size = 0;

  constructor(services: Services) {
    this.#services = services;
  }

  /** Number of running executions, shared or not: for the metrics, and for tests that check for leaks. */
  get size(): number {
    return this.#size;
  }

  /** Frames may reach the member before this resolves. Never rejects. */
  async join(watching: Watching, connection: Connection, format: Format): Promise<Joined> {
    const { operation, plan } = watching;
    if (plan.conditional) return { leave: null, refused: [this.#shown(conditionalRoot())] };
    const coerced = getVariableValues(schema, plan.operation.variableDefinitions ?? [], operation.variables);
    if (coerced.errors !== undefined) return { leave: null, refused: coerced.errors.map((error) => this.#shown(error)) };
    const resume = plan.resumeVariable === null ? null : coerced.coerced[plan.resumeVariable];

    const { joining } = plan.field;
    const member = new Member(connection, format, joining === 'newest' || joining === 'pages' ? seenBy(resume, watching.lastEventId) : null);
    const joined = new Set<Broadcast>();
    const leave = () => {
      for (const broadcast of joined) broadcast.remove(member);
      joined.clear();
    };
    // A position in a workspace's changes differs per watcher, so it needs its own execution until it has caught up. A job's
    // version and the sequence of a line do not: a Member just skips what it has seen.
    const alone = joining === 'alone' && (resume != null || watching.lastEventId !== null || plan.resumesOtherwise);
    const broadcast = alone
      ? this.#own(watching, () => void this.#share(watching, member, joined))
      : this.#shared(watching);
    joined.add(broadcast);
    broadcast.add(member);
    const refused = await broadcast.opened;
    return refused === null ? { leave, refused } : { leave: null, refused };
  }

  /** Opens a broadcast for one watcher, from its own position. */
  #own({ operation, plan, lastEventId }: Watching, onLive: () => void): Broadcast {
    const own = operation.with(declared(plan, operation.variables));
    return this.#open({ operation: own, plan, alone: true, resumeAfter: lastEventId, onLive }, () => undefined);
  }

  /** Finds or opens the broadcast for all who watch the same thing with the same rights. */
  #shared({ operation, plan }: Watching): Broadcast {
    const variables = declared(plan, operation.variables);
    if (plan.resumeVariable !== null) delete variables[plan.resumeVariable];
    const key = keyOf(plan, variables, operation.viewer);
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const shared = { operation: operation.with(variables), plan, alone: false, resumeAfter: null };
    const broadcast = this.#open(shared, () => this.#byKey.delete(key));
    this.#byKey.set(key, broadcast);
    return broadcast;
  }

  /** Moves a watcher that has caught up to the shared broadcast: after a restart every watcher resumes on its own. */
  async #share(watching: Watching, member: Member, joined: Set<Broadcast>): Promise<void> {
    // The shared execution would resume again from the position that is written in the document.
    if (watching.plan.resumesOtherwise) return;
    // Wait until its own broadcast is open: it may still be refused.
    await Promise.resolve();
    const [own] = joined;
    if (own === undefined || joined.size > 1 || (await own.opened) !== null || joined.size !== 1) return;
    const shared = this.#shared(watching);
    joined.add(shared);
    await own.handOver(member, shared);
  }

  #open(operation: LiveOperation, onClosed: () => void): Broadcast {
    const execution = new GraphQLExecution(this.#services.jobs, operation, this.#turns);
    this.#size += 1;
    return new Broadcast(execution, this.#services.log, () => {
      this.#size -= 1;
      execution.close();
      onClosed();
    });
  }

  #shown(error: unknown): GraphQLError {
    return publicError(error, this.#services);
  }
}

/** The key contains the caller's full authorization, so nobody gets what was rendered for someone with other rights. */
function keyOf({ id }: LivePlan, variables: Readonly<Record<string, unknown>>, viewer: Viewer | null): string {
  const rights =
    viewer === null
      ? null
      : [viewer.apiKeyId, viewer.workspaceId, [...viewer.scopes].toSorted(), viewer.restriction];
  const named = Object.entries(variables).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([id, rights, named]);
}

/** Keeps only declared variables: others have no effect, so they must neither separate watchers nor take memory. */
function declared({ operation }: LivePlan, variables: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const names = new Set(operation.variableDefinitions?.map(({ variable }) => variable.name.value));
  return Object.fromEntries(Object.entries(variables).filter(([name]) => names.has(name)));
}

/**
 * Last-Event-ID wins over the argument (PROTOCOL.md, E2): when a client reconnects, it repeats the argument of its first
 * request.
 */
function seenBy(resume: unknown, lastEventId: string | null): number {
  if (lastEventId !== null && /^\d{1,9}$/.test(lastEventId)) return Number(lastEventId);
  return typeof resume === 'number' ? resume : 0;
}

/** Later versions of the GraphQL specification forbid this. Here execution would find no field, and report an internal error. */
function conditionalRoot(): GraphQLError {
  return new GraphQLError("The root field of a subscription takes neither @skip nor @include. Put them on the fields inside it.", {
    extensions: { code: 'BAD_USER_INPUT' },
  });
}
