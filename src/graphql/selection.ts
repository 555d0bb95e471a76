import { type FieldNode, type GraphQLResolveInfo, Kind, type SelectionSetNode } from 'graphql';

type Info = Pick<GraphQLResolveInfo, 'fieldNodes' | 'fragments'>;

const remembered = new WeakMap<FieldNode, Map<string, ReadonlySet<string>>>();

/**
 * Names the fields that are selected along a path below a field: `selectedBelow(info, 'edges', 'node')`. It looks at the
 * document alone, so with @skip and @include it names what may be selected. Remembered with the document.
 */
export function selectedBelow(info: Info, ...path: string[]): ReadonlySet<string> {
  const [node, ...others] = info.fieldNodes;
  if (node === undefined || others.length > 0) return namesBelow(info.fieldNodes, path, info);
  const paths = remembered.get(node) ?? new Map<string, ReadonlySet<string>>();
  remembered.set(node, paths);
  const key = path.join('.');
  const names = paths.get(key) ?? namesBelow([node], path, info);
  paths.set(key, names);
  return names;
}

function namesBelow(nodes: readonly FieldNode[], path: readonly string[], info: Info): ReadonlySet<string> {
  let below = nodes.flatMap(({ selectionSet }) => fieldsIn(selectionSet, info));
  for (const step of path) {
    below = below.filter(({ name }) => name.value === step).flatMap(({ selectionSet }) => fieldsIn(selectionSet, info));
  }
  return new Set(below.map(({ name }) => name.value));
}

/** The fields of a selection, in whatever fragments. A valid document's fragments have no cycles. */
function fieldsIn(set: SelectionSetNode | undefined, info: Info): FieldNode[] {
  return (set?.selections ?? []).flatMap((each) => {
    if (each.kind === Kind.FIELD) return each;
    return fieldsIn(each.kind === Kind.FRAGMENT_SPREAD ? info.fragments[each.name.value]?.selectionSet : each.selectionSet, info);
  });
}
