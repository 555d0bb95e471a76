import {
  type DocumentNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  type SelectionSetNode,
} from 'graphql';
import { fragmentsOf } from './fragments.ts';

/** Worker mutations. They are exempt from the rate limit, because a refused heartbeat could cost an attempt. */
const workCalls: ReadonlySet<string> = new Set([
  'claimJobs',
  'reportProgress',
  'completeJob',
  'completeJobs',
  'failJob',
  'releaseJob',
  'appendLogs',
]);

/** Whether an operation may wait for work. The document need not be valid. */
export function claimsJobs(document: DocumentNode, { operation, selectionSet }: OperationDefinitionNode): boolean {
  return operation === OperationTypeNode.MUTATION && selectsClaim(selectionSet, new Map(fragmentsOf(document)));
}

/** @param unseen as below */
function selectsClaim({ selections }: SelectionSetNode, unseen: Map<string, FragmentDefinitionNode>): boolean {
  return selections.some((selection) => {
    if (selection.kind === Kind.FIELD) return selection.name.value === 'claimJobs';
    if (selection.kind === Kind.INLINE_FRAGMENT) return selectsClaim(selection.selectionSet, unseen);
    const fragment = unseen.get(selection.name.value);
    unseen.delete(selection.name.value);
    return fragment !== undefined && selectsClaim(fragment.selectionSet, unseen);
  });
}

/** Whether an operation consists only of worker calls. The document need not be valid. */
export function isWorkAlone(document: DocumentNode, { operation, selectionSet }: OperationDefinitionNode): boolean {
  return operation === OperationTypeNode.MUTATION && consistsOfWork(selectionSet, new Map(fragmentsOf(document)));
}

/** @param unseen fragments not visited yet; each is visited once, so fragments that spread each other do not loop */
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
