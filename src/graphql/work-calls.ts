import {
  type DocumentNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  type SelectionSetNode,
} from 'graphql';
import { fragmentsOf } from './fragments.ts';

/** Mutations of workers. A heartbeat that is refused would cost an attempt, so these are not counted. */
const workCalls: ReadonlySet<string> = new Set(['claimJobs', 'reportProgress', 'completeJob', 'failJob', 'releaseJob']);

/** Whether an operation consists of calls of a worker. The document need not be valid. */
export function isWorkAlone(document: DocumentNode, { operation, selectionSet }: OperationDefinitionNode): boolean {
  return operation === OperationTypeNode.MUTATION && consistsOfWork(selectionSet, new Map(fragmentsOf(document)));
}

/** @param unseen fragments not looked at yet: each is looked at once, also where they spread each other in a circle */
function consistsOfWork({ selections }: SelectionSetNode, unseen: Map<string, FragmentDefinitionNode>): boolean {
  return selections.every((selection) => {
    switch (selection.kind) {
      case Kind.FIELD:
        return workCalls.has(selection.name.value) || selection.name.value === '__typename';
      case Kind.INLINE_FRAGMENT:
        return consistsOfWork(selection.selectionSet, unseen);
      case Kind.FRAGMENT_SPREAD: {
        const fragment = unseen.get(selection.name.value);
        unseen.delete(selection.name.value);
        return fragment === undefined || consistsOfWork(fragment.selectionSet, unseen);
      }
    }
  });
}
