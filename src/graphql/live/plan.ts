import {
  type DocumentNode,
  Kind,
  type FieldNode,
  type OperationDefinitionNode,
  type SelectionSetNode,
  visit,
} from 'graphql';
import { findLiveField, type LiveField } from './frame.ts';

/** What of a valid subscription decides who may share its execution. */
export interface LivePlan {
  /** Stands for the operation in the key of what is shared. */
  id: string;
  operation: OperationDefinitionNode;
  field: LiveField;
  /**
   * The variable that only says how far the watcher has got: whoever shares differs in it. Null where the document has
   * none, gives it a default, or uses it elsewhere as well.
   */
  resumeVariable: string | null;
  /** Whether the root field may be left out, by @skip or @include: then there is nothing to watch. */
  conditional: boolean;
  /** Whether the document says in some other way how far its watchers have got. */
  resumesOtherwise: boolean;
}

/** Null for what is none of our subscriptions. */
export function livePlanOf(document: DocumentNode, operation: OperationDefinitionNode, id: string): LivePlan | null {
  const found = rootField(document, operation.selectionSet);
  const field = found === null ? undefined : findLiveField(found.root.name.value);
  if (found === null || field === undefined) return null;
  const { root, conditional } = found;
  const resumeVariable = findResumeVariable(document, operation, root, field);
  const names = root.arguments?.map(({ name }) => name.value) ?? [];
  const resumesOtherwise = resumeVariable === null && names.includes(field.resumeArgument);
  return { id, operation, field, conditional, resumeVariable, resumesOtherwise };
}

/** A valid subscription has exactly one, perhaps inside fragments. */
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
