import { getVariableValues, GraphQLError } from 'graphql';
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
  /** Where the watcher has got to by another way than its document: Last-Event-ID. */
  lastEventId: string | null;
}

/** What came of it: a way to leave, or the reasons why there is nothing to watch. */
export type Joined = { leave: () => void; refused: null } | { leave: null; refused: readonly GraphQLError[] };

/** Brings watchers of the same thing together (PROTOCOL.md, S1). */
export class Broadcasts {
  readonly #services: Services;
  readonly #byKey = new Map<string, Broadcast>();
  #size = 0;

  constructor(services: Services) {
    this.#services = services;
  }

  /** Executions under way, shared and not, for the metrics and for tests that nothing is left behind. */
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

    const member = new Member(connection, format, plan.field.replays ? seenBy(resume, watching.lastEventId) : null);
    const joined = new Set<Broadcast>();
    const leave = () => {
      for (const broadcast of joined) broadcast.remove(member);
      joined.clear();
    };
    // A place in the changes of a workspace is each watcher's own; a version is only left out.
    const alone = !plan.field.replays && (resume != null || watching.lastEventId !== null || plan.resumesOtherwise);
    const broadcast = alone
      ? this.#own(watching, () => void this.#share(watching, member, joined))
      : this.#shared(watching);
    joined.add(broadcast);
    broadcast.add(member);
    const refused = await broadcast.opened;
    return refused === null ? { leave, refused } : { leave: null, refused };
  }

  /** For one watcher alone, from its own place on. */
  #own({ operation, plan, lastEventId }: Watching, onLive: () => void): Broadcast {
    const own = operation.with(declared(plan, operation.variables));
    return this.#open({ operation: own, plan, alone: true, resumeAfter: lastEventId, onLive }, () => undefined);
  }

  /** For everyone who watches the same with the same rights. */
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

  /** A watcher that has caught up goes on with the others: after a restart all of them had places of their own. */
  async #share(watching: Watching, member: Member, joined: Set<Broadcast>): Promise<void> {
    // What the document itself says of its place would be carried out again.
    if (watching.plan.resumesOtherwise) return;
    // Not while its own is being opened, which it may still be refused.
    await Promise.resolve();
    const [own] = joined;
    if (own === undefined || joined.size > 1 || (await own.opened) !== null || joined.size !== 1) return;
    const shared = this.#shared(watching);
    joined.add(shared);
    await own.handOver(member, shared);
  }

  #open(operation: LiveOperation, onClosed: () => void): Broadcast {
    const execution = new GraphQLExecution(this.#services.jobs, operation);
    this.#size += 1;
    return new Broadcast(execution, this.#services.log, () => {
      this.#size -= 1;
      execution.close();
      onClosed();
    });
  }

  #shown(error: unknown): GraphQLError {
    return publicError(error, this.#services.log);
  }
}

/** The whole of the caller's authorisation is in it: nobody is ever sent what was rendered for another. */
function keyOf({ id }: LivePlan, variables: Readonly<Record<string, unknown>>, viewer: Viewer | null): string {
  const rights =
    viewer === null
      ? null
      : [viewer.apiKeyId, viewer.workspaceId, [...viewer.scopes].toSorted(), viewer.restriction];
  const named = Object.entries(variables).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([id, rights, named]);
}

/** Variables that the document does not know have no effect: they neither keep watchers apart nor are kept. */
function declared({ operation }: LivePlan, variables: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const names = new Set(operation.variableDefinitions?.map(({ variable }) => variable.name.value));
  return Object.fromEntries(Object.entries(variables).filter(([name]) => names.has(name)));
}

/** Last-Event-ID wins over the argument (PROTOCOL.md, E2): the first request stated that, and its repetition does. */
function seenBy(resume: unknown, lastEventId: string | null): number {
  if (lastEventId !== null && /^\d{1,9}$/.test(lastEventId)) return Number(lastEventId);
  return typeof resume === 'number' ? resume : 0;
}

/** As later versions of the specification of GraphQL have it; execution would find no field, and fail as a bug of ours. */
function conditionalRoot(): GraphQLError {
  return new GraphQLError("A subscription's own field takes neither @skip nor @include. Put them on what is selected in it.", {
    extensions: { code: 'BAD_USER_INPUT' },
  });
}
