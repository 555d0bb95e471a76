import { createSourceEventStream, type DocumentNode, execute, type ExecutionResult, type GraphQLError, type OperationTypeNode } from 'graphql';
import { JobDeletedError } from '../jobs/model/job-errors.ts';
import type { Services } from '../services.ts';
import type { Viewer } from '../workspaces/viewer.ts';
import type { GraphQLContext } from './context.ts';
import { queryLimits } from './limits.ts';
import type { LivePlan } from './live/plan.ts';
import { createLoaders } from './loaders.ts';
import type { PreparedOperation } from './prepared-operation.ts';
import { publicError } from './public-error.ts';

/** A GraphQL request, over any transport. */
export interface GraphQLRequest {
  query: string;
  variables?: Readonly<Record<string, unknown>> | null | undefined;
  operationName?: string | null | undefined;
  extensions?: Readonly<Record<string, unknown>> | null | undefined;
}

/** What an execution needs besides the request. */
type Circumstances = Pick<GraphQLContext, 'signal' | 'resumeAfter' | 'onLive'>;

interface Opened {
  prepared: PreparedOperation;
  request: GraphQLRequest;
  viewer: Viewer | null;
  /** Null if the variables are invalid; execution then reports why. */
  cost: number | null;
}

/** An operation that is ready to run: authenticated, counted against the rate limit, valid and within the cost limit. */
export class Operation {
  readonly #services: Services;
  readonly #opened: Opened;

  constructor(services: Services, opened: Opened) {
    this.#services = services;
    this.#opened = opened;
  }

  get kind(): OperationTypeNode {
    return this.#opened.prepared.kind;
  }

  get name(): string | undefined {
    return this.#opened.prepared.name;
  }

  get document(): DocumentNode {
    return this.#opened.prepared.document;
  }

  /** Whether it claims jobs, and so may wait for work. */
  get claims(): boolean {
    return this.#opened.prepared.claims;
  }

  /** Null if it is not a subscription. */
  get live(): LivePlan | null {
    return this.#opened.prepared.live;
  }

  get viewer(): Viewer | null {
    return this.#opened.viewer;
  }

  get variables(): Readonly<Record<string, unknown>> {
    return this.#opened.request.variables ?? {};
  }

  /** The same operation with other variables, and without the request's extensions. */
  with(variables: Readonly<Record<string, unknown>>): Operation {
    const { query, operationName } = this.#opened.request;
    return new Operation(this.#services, { ...this.#opened, request: { query, operationName, variables } });
  }

  /**
   * Runs a query or mutation, or renders one event of a subscription. Each run has its own context, so nothing that
   * resolvers cache in it outlives the run.
   *
   * @param event the subscription's event
   */
  async execute(circumstances: Circumstances, event?: unknown): Promise<ExecutionResult> {
    const result = await execute({ ...this.#arguments(circumstances), rootValue: event });
    const shown = result.errors === undefined ? result : { ...result, errors: this.#shown(result.errors) };
    const { request, cost } = this.#opened;
    if (request.extensions?.['cost'] !== true || cost === null) return shown;
    return { ...shown, extensions: { ...shown.extensions, cost: { complexity: cost, limit: queryLimits.cost } } };
  }

  /** Opens a subscription's event source, or returns the errors why it cannot. */
  async subscribe(circumstances: Circumstances): Promise<AsyncIterable<unknown> | readonly GraphQLError[]> {
    try {
      const source = await createSourceEventStream(this.#arguments(circumstances));
      return Symbol.asyncIterator in source ? source : this.#shown(source.errors ?? []);
    } catch (error) {
      return this.#shown([error]);
    }
  }

  /** What watchers are told when their events end with this error; null if they may come back for the next ones. */
  farewell(error: unknown): ExecutionResult | null {
    return error instanceof JobDeletedError ? { errors: this.#shown([error]) } : null;
  }

  #arguments(circumstances: Circumstances) {
    const { prepared, request, viewer } = this.#opened;
    const contextValue: GraphQLContext = {
      ...this.#services,
      ...circumstances,
      viewer,
      loaders: createLoaders(this.#services),
    };
    const variableValues = prepared.variables(request.variables ?? {});
    return { schema: prepared.schema, document: prepared.document, operationName: request.operationName, variableValues, contextValue };
  }

  #shown(errors: readonly unknown[]): GraphQLError[] {
    return errors.map((error) => publicError(error, this.#services));
  }
}
