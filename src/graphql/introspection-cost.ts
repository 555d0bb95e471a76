import { type DocumentNode, type FieldNode, Kind, type SelectionSetNode } from 'graphql';
import { fragmentsOf } from './fragments.ts';

/**
 * Rough lengths of the introspection lists. With these, the full introspection query of a tool costs about 17,000, even as
 * the schema grows; several of them under aliases exceed the limit.
 */
const listSizes: Readonly<Record<string, number>> = {
  types: 50,
  fields: 8,
  args: 2,
  inputFields: 4,
  enumValues: 3,
  interfaces: 1,
  possibleTypes: 2,
  directives: 8,
  locations: 4,
  // A type has one or two wrappers, but tools select nine levels.
  ofType: 0.4,
};

/**
 * Prices the introspection in a document. Pothos's complexity plugin counts `__schema` and `__type` as one field each,
 * although aliases inside them multiply the fields to resolve.
 */
export function introspectionCost(document: DocumentNode): number {
  const fragments = fragmentsOf(document);
  const known = { outside: new Map<SelectionSetNode, number>(), inside: new Map<SelectionSetNode, number>() };

  const costOf = (set: SelectionSetNode, where: 'outside' | 'inside'): number => {
    const before = known[where].get(set);
    if (before !== undefined) return before;
    let cost = 0;
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) {
        if (where === 'inside' || isEntry(selection)) cost += fieldCost(selection);
      } else {
        const inner = selection.kind === Kind.FRAGMENT_SPREAD ? fragments.get(selection.name.value) : selection;
        if (inner !== undefined) cost += costOf(inner.selectionSet, where);
      }
    }
    known[where].set(set, cost);
    return cost;
  };
  const fieldCost = ({ name, selectionSet }: FieldNode): number =>
    1 + (selectionSet === undefined ? 0 : (listSizes[name.value] ?? 1) * costOf(selectionSet, 'inside'));

  let cost = 0;
  for (const each of document.definitions) {
    if (each.kind === Kind.OPERATION_DEFINITION) cost += costOf(each.selectionSet, 'outside');
  }
  return Math.ceil(cost);
}

/** Only the query type has these two fields. */
function isEntry({ name }: FieldNode): boolean {
  return name.value === '__schema' || name.value === '__type';
}
