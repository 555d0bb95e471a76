import {
  type DocumentNode,
  getOperationAST,
  Kind,
  type FieldNode,
  type OperationDefinitionNode,
  OperationTypeNode,
  type SelectionSetNode,
  visit,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import { findLiveField, type LiveField } from './frame.ts';

/** A valid subscription document: what of it decides who may share its execution. */
export interface LivePlan {
  /** Stands for the document and the operation's name in the key of what is shared. */
  number: number;
  document: DocumentNode;
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

/** Documents that are remembered, by their text. */
const remembered = 1_000;

/** Plans of subscription documents, so that a thousand watchers of one document pay once for reading it. */
export class LivePlans {
  readonly #plans = new LRUCache<string, LivePlan>({ max: remembered });
  #count = 0;

  /** The plan made earlier for this text. */
  known(query: string, operationName: string | null | undefined): LivePlan | undefined {
    return this.#plans.get(keyOf(query, operationName));
  }

  /** Null for what is no subscription. @param document valid, within the limits */
  make(query: string, operationName: string | null | undefined, document: DocumentNode): LivePlan | null {
    const operation = getOperationAST(document, operationName);
    if (operation?.operation !== OperationTypeNode.SUBSCRIPTION) return null;
    const found = rootField(document, operation.selectionSet);
    const field = found === null ? undefined : findLiveField(found.root.name.value);
    if (found === null || field === undefined) return null;
    const { root, conditional } = found;
    this.#count += 1;
    const resumeVariable = findResumeVariable(document, operation, root, field);
    const names = root.arguments?.map(({ name }) => name.value) ?? [];
    const resumesOtherwise = resumeVariable === null && names.includes(field.resumeArgument);
    const plan = { number: this.#count, document, operation, field, conditional, resumeVariable, resumesOtherwise };
    this.#plans.set(keyOf(query, operationName), plan);
    return plan;
  }
}

function keyOf(query: string, operationName: string | null | undefined): string {
  return `${operationName ?? ''} ${query}`;
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
