import { createHash } from 'node:crypto';
import { type DocumentNode, type GraphQLSchema, Kind, type OperationDefinitionNode, OperationTypeNode } from 'graphql';
import { type Content, contentSelected } from './job-content.ts';
import { mutationSchema, schema } from './schema.ts';
import { Price } from './price.ts';
import { claimsJobs, isWorkAlone } from './work-calls.ts';
import { livePlanOf, type LivePlan } from './live/plan.ts';
import type { WithSentVariables } from './sent-variables.ts';

/** One operation of a valid document, with what can be computed from the document alone. */
export class PreparedOperation {
  /** The schema to run it with. */
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly node: OperationDefinitionNode;
  readonly price: Price;
  /** Whether it consists only of worker calls, which are exempt from the rate limit. */
  readonly isWork: boolean;
  /** A field that only READ may select; null if there is none. */
  readonly content: Content | null;
  /** Whether it claims jobs, and so may wait for work. */
  readonly claims: boolean;
  /** Null if it is not a subscription. */
  readonly live: LivePlan | null;
  /** The variables to run it with, from those of a request. */
  readonly variables: WithSentVariables['complete'];

  constructor(text: string, { document, complete }: WithSentVariables, node: OperationDefinitionNode) {
    const others = document.definitions.filter((each) => each.kind !== Kind.OPERATION_DEFINITION);
    this.schema = node.operation === OperationTypeNode.MUTATION ? mutationSchema : schema;
    this.document = document;
    this.variables = complete;
    this.node = node;
    this.price = new Price(this.schema, { kind: Kind.DOCUMENT, definitions: [node, ...others] });
    this.isWork = isWorkAlone(document, node);
    this.content = contentSelected(schema, document, node);
    this.claims = claimsJobs(document, node);
    this.live = this.kind === OperationTypeNode.SUBSCRIPTION ? livePlanOf(document, node, idOf(text, node)) : null;
  }

  get kind(): OperationTypeNode {
    return this.node.operation;
  }

  get name(): string | undefined {
    return this.node.name?.value;
  }
}

/** A short hash that identifies the operation; the same in every process. */
function idOf(text: string, { name }: OperationDefinitionNode): string {
  return createHash('sha256').update(`${name?.value ?? ''} ${text}`).digest('base64');
}
