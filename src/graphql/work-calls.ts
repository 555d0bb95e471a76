import { type DocumentNode, getOperationAST, Kind, OperationTypeNode, type SelectionSetNode } from 'graphql';

/** Mutations of workers: a heartbeat that is refused would cost an attempt, so these are not counted. */
const workCalls: ReadonlySet<string> = new Set(['claimJobs', 'reportProgress', 'completeJob', 'failJob', 'releaseJob']);

/** Whether an operation is nothing but calls of a worker. */
export function isWorkAlone(document: DocumentNode, operationName: string | null | undefined): boolean {
  const operation = getOperationAST(document, operationName);
  return operation?.operation === OperationTypeNode.MUTATION && consistsOfWork(document, operation.selectionSet);
}

function consistsOfWork(document: DocumentNode, { selections }: SelectionSetNode): boolean {
  return selections.every((selection) => {
    switch (selection.kind) {
      case Kind.FIELD:
        return workCalls.has(selection.name.value) || selection.name.value === '__typename';
      case Kind.INLINE_FRAGMENT:
        return consistsOfWork(document, selection.selectionSet);
      case Kind.FRAGMENT_SPREAD:
        return document.definitions.some(
          (each) =>
            each.kind === Kind.FRAGMENT_DEFINITION &&
            each.name.value === selection.name.value &&
            consistsOfWork(document, each.selectionSet),
        );
    }
  });
}
