import { createHash } from 'node:crypto';
import { type DocumentNode, type GraphQLSchema, Kind, type OperationDefinitionNode, OperationTypeNode } from 'graphql';
import { Price } from './price.ts';
import { isWorkAlone } from './work-calls.ts';
import { livePlanOf, type LivePlan } from './live/plan.ts';

/** One operation of a valid document, and what follows from the document alone. */
export class PreparedOperation {
  readonly document: DocumentNode;
  readonly node: OperationDefinitionNode;
  readonly price: Price;
  /** Whether it consists of calls of a worker, which are not counted against the rate limit. */
  readonly isWork: boolean;
  /** Null for what is no subscription. */
  readonly live: LivePlan | null;

  constructor(schema: GraphQLSchema, text: string, document: DocumentNode, node: OperationDefinitionNode) {
    const others = document.definitions.filter((each) => each.kind !== Kind.OPERATION_DEFINITION);
    this.document = document;
    this.node = node;
    this.price = new Price(schema, { kind: Kind.DOCUMENT, definitions: [node, ...others] });
    this.isWork = isWorkAlone(document, node);
    this.live = this.kind === OperationTypeNode.SUBSCRIPTION ? livePlanOf(document, node, idOf(text, node)) : null;
  }

  get kind(): OperationTypeNode {
    return this.node.operation;
  }

  get name(): string | undefined {
    return this.node.name?.value;
  }
}

/** Stands for the operation wherever it is remembered: the same in every process, and short. */
function idOf(text: string, { name }: OperationDefinitionNode): string {
  return createHash('sha256').update(`${name?.value ?? ''} ${text}`).digest('base64');
}
