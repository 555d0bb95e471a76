import {
  type DocumentNode,
  Kind,
  type FieldNode,
  type OperationDefinitionNode,
  type SelectionSetNode,
  visit,
} from 'graphql';
import { findLiveField, type LiveField } from './frame.ts';

/** The parts of a valid subscription that decide who may share its execution. */
export interface LivePlan {
  /** Identifies the operation in the key of a shared execution. */
  id: string;
  operation: OperationDefinitionNode;
  field: LiveField;
  /**
   * The variable that carries only the watcher's position, which may differ among those who share. Null if the document has
   * none, gives it a default, or also uses it elsewhere.
   */
  resumeVariable: string | null;
  /** Whether @skip or @include may remove the root field, which would leave nothing to watch. */
  conditional: boolean;
  /** Whether the document gives the position in some other way, such as a literal. */
  resumesOtherwise: boolean;
}

/** Null if it is not one of our subscriptions. */
export function livePlanOf(document: DocumentNode, operation: OperationDefinitionNode, id: string): LivePlan | null {
  const found = rootField(document, operation.selectionSet);
  const field = found === null ? undefined : findLiveField(found.root.name.value);
  if (found === null || field === undefined) return null;
  const { root, conditional } = found;
  const resumeVariable = findResumeVariable(document, operation, root, field);
  const names = root.arguments?.map(({ name }) => name.value) ?? [];
  const resumesOtherwise = resumeVariable === null && names.some((name) => name === field.resumeArgument);
  return { id, operation, field, conditional, resumeVariable, resumesOtherwise };
}

/** Finds the root field. A valid subscription has exactly one, perhaps inside fragments. */
function rootField(
  document: DocumentNode,
  { selections }: SelectionSetNode,
): { root: FieldNode; conditional: boolean } | null {
  for (const selection of selections) {
    const conditional = selection.directives?.some(({ name }) => ['skip', 'include'].includes(name.value)) === true;
    if (selection.kind === Kind.FIELD) return { root: selection, conditional };
    const inside =
      selection.kind === Kind.INLINE_FRAGMENT
        ? selection.selectionSet
        : document.definitions.find(
            (each) => each.kind === Kind.FRAGMENT_DEFINITION && each.name.value === selection.name.value,
          );
    const set = inside?.kind === Kind.FRAGMENT_DEFINITION ? inside.selectionSet : inside;
    const found = set?.kind === Kind.SELECTION_SET ? rootField(document, set) : null;
    if (found !== null) return { root: found.root, conditional: conditional || found.conditional };
  }
  return null;
}

function findResumeVariable(
  document: DocumentNode,
  operation: OperationDefinitionNode,
  root: FieldNode,
  field: LiveField,
): string | null {
  const argument = root.arguments?.find(({ name }) => name.value === field.resumeArgument);
  if (argument?.value.kind !== Kind.VARIABLE) return null;
  const name = argument.value.name.value;
  const definition = operation.variableDefinitions?.find(({ variable }) => variable.name.value === name);
  let uses = 0;
  visit(document, {
    VariableDefinition: () => false,
    Variable: (node) => {
      if (node.name.value === name) uses += 1;
    },
  });
  return uses === 1 && definition !== undefined && definition.defaultValue === undefined ? name : null;
}
