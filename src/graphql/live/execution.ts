import { setTimeout as delay } from 'node:timers/promises';
import { createSourceEventStream, execute, type ExecutionResult, GraphQLError, type GraphQLSchema } from 'graphql';
import { isAsyncIterable } from 'graphql-yoga';
import type { ErrorCode } from '../../errors.ts';
import type { Services } from '../../services.ts';
import type { Viewer } from '../../workspaces/viewer.ts';
import type { GraphQLContext } from '../context.ts';
import { createLoaders } from '../loaders.ts';
import { publicError } from '../public-error.ts';
import type { LiveExecution } from './broadcast.ts';
import type { Frame } from './frame.ts';
import type { LivePlan } from './plan.ts';

/** How long an event waits that could not be rendered because a server behind was away. Milliseconds. */
const retryMilliseconds = 1_000;

/** What is carried out: a document with its variables, for a viewer. */
export interface LiveOperation {
  plan: LivePlan;
  variables: Readonly<Record<string, unknown>>;
  viewer: Viewer | null;
  /** For one watcher from a place of its own. */
  alone: boolean;
  /** Takes the place of the resume argument. */
  resumeAfter: string | null;
  /** Called when there is nothing left that only this watcher has to make up for. */
  onLive?: () => void;
}

/** Carries a subscription out with graphql-js, each event in a context of its own. */
export class GraphQLExecution implements LiveExecution {
  readonly #schema: GraphQLSchema;
  readonly #services: Services;
  readonly #operation: LiveOperation;
  #over = false;

  constructor(schema: GraphQLSchema, services: Services, operation: LiveOperation) {
    this.#schema = schema;
    this.#services = services;
    this.#operation = operation;
  }

  get replays(): boolean {
    return this.#operation.plan.field.replays;
  }

  get paced(): boolean {
    return this.#operation.alone;
  }

  async open(): Promise<AsyncIterable<unknown> | readonly GraphQLError[]> {
    try {
      const source = await createSourceEventStream({ ...this.#arguments(), contextValue: this.#context() });
      return isAsyncIterable(source) ? source : this.#shown(source.errors ?? []);
    } catch (error) {
      return this.#shown([error]);
    }
  }

  close(): void {
    this.#over = true;
  }

  async render(event: unknown): Promise<Frame | null> {
    const heading = this.#operation.plan.field.headingOf(event);
    if (heading === null) return null;
    for (;;) {
      const result: ExecutionResult = await execute({
        ...this.#arguments(),
        rootValue: event,
        contextValue: this.#context(),
      });
      if (result.errors === undefined) return { ...heading, payload: JSON.stringify(result) };
      const errors = this.#shown(result.errors);
      // The database went away between the read of the job and that of what hangs on it: a watcher that got the final
      // version as an error would never learn how its job ended.
      if (!this.#over && errors.some(isUnavailable)) {
        await delay(retryMilliseconds);
        continue;
      }
      return { ...heading, payload: JSON.stringify({ ...result, errors }) };
    }
  }

  refresh({ jobId }: Frame): void {
    this.#services.feed.look(jobId);
  }

  #arguments() {
    const { plan, variables } = this.#operation;
    const operationName = plan.operation.name?.value;
    return { schema: this.#schema, document: plan.document, variableValues: variables, operationName };
  }

  /** Fresh for each event: what a resolver remembers in it must not outlive the event. */
  #context(): GraphQLContext {
    const { viewer, resumeAfter, onLive } = this.#operation;
    const loaders = createLoaders(this.#services.context.database);
    return { ...this.#services, viewer, loaders, signal: null, resumeAfter, ...(onLive && { onLive }) };
  }

  #shown(errors: readonly unknown[]): GraphQLError[] {
    return errors.map((error) => withoutStatus(publicError(error, this.#services.log)));
  }
}

/** Whether it is over when the server behind is back. */
export function isUnavailable({ extensions }: GraphQLError): boolean {
  return extensions['code'] === ('UNAVAILABLE' satisfies ErrorCode);
}

/** The status is HTTP's; a message and an event have none. */
export function withoutStatus(error: GraphQLError): GraphQLError {
  const { http: _status, ...extensions } = error.extensions;
  const { message, nodes = null, source = null, positions = null, path = null } = error;
  return new GraphQLError(message, { nodes, source, positions, path, extensions });
}
