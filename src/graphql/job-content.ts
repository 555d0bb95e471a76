import {
  type DocumentNode,
  type FieldNode,
  GraphQLError,
  type GraphQLSchema,
  getNamedType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  type GraphQLCompositeType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { LonghaulError } from '../errors.ts';
import { fragmentsOf } from './fragments.ts';

/** What a result shows without READ, of the types that hold what a tenant works on. */
const shownWithoutRead: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['Job', new Set(['id', 'uuid', 'type', 'status', 'version', 'creditsCharged', 'creditsRefunded'])],
  ['Schedule', new Set(['id', 'name', 'cron', 'timeZone', 'type', 'overlap', 'paused', 'nextRunAt', 'lastRunAt', 'createdAt'])],
  ['WebhookDelivery', new Set(['id', 'event', 'status', 'attemptCount', 'createdAt', 'deliveredAt'])],
]);

/** Where a job is whole without READ: it is handed to its worker, or the field itself decides who may see it. */
const wholeAt: ReadonlySet<string> = new Set(['Lease.job', 'Query.job', 'Subscription.jobProgress']);

/** A selected field that needs READ. */
export interface Content {
  /** Such as `Job.input`. */
  name: string;
  node: FieldNode;
}

/** Finds the first selected field that needs READ; null if there is none. The document must be valid. */
export function contentSelected(
  schema: GraphQLSchema,
  document: DocumentNode,
  { operation, selectionSet }: OperationDefinitionNode,
): Content | null {
  const fragments = new Map(fragmentsOf(document));
  /** Fragments looked at already, once for whole jobs and once for others. */
  const seen = new Set<string>();

  function inSet({ selections }: SelectionSetNode, parent: GraphQLCompositeType, whole: boolean): Content | null {
    for (const selection of selections) {
      const found = inSelection(selection, parent, whole);
      if (found !== null) return found;
    }
    return null;
  }

  function inSelection(selection: SelectionSetNode['selections'][number], parent: GraphQLCompositeType, whole: boolean): Content | null {
    switch (selection.kind) {
      case Kind.FIELD: {
        const field = isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[selection.name.value] : undefined;
        // `__typename`.
        if (field === undefined) return null;
        const name = `${parent.name}.${field.name}`;
        if (!whole && shownWithoutRead.get(parent.name)?.has(field.name) === false) return { name, node: selection };
        const type = getNamedType(field.type);
        if (selection.selectionSet === undefined || !isCompositeType(type)) return null;
        // A job reached from a job is another one.
        return inSet(selection.selectionSet, type, type.name === 'Job' ? wholeAt.has(name) : whole);
      }
      case Kind.INLINE_FRAGMENT:
        return inSet(selection.selectionSet, typeOf(selection.typeCondition?.name.value) ?? parent, whole);
      case Kind.FRAGMENT_SPREAD: {
        const fragment = fragments.get(selection.name.value);
        const key = `${selection.name.value} ${whole}`;
        if (fragment === undefined || seen.has(key)) return null;
        seen.add(key);
        return inSet(fragment.selectionSet, typeOf(fragment.typeCondition.name.value) ?? parent, whole);
      }
    }
  }

  function typeOf(name: string | undefined): GraphQLCompositeType | null {
    const type = name === undefined ? undefined : schema.getType(name);
    return isCompositeType(type) ? type : null;
  }

  const root = schema.getRootType(operation);
  return root == null ? null : inSet(selectionSet, root, false);
}

/** The error for an operation that selects what the caller may not read. */
export function unreadable({ name, node }: Content): GraphQLError {
  const fields = [...(shownWithoutRead.get('Job') ?? [])].join(', ');
  const originalError = new LonghaulError(
    'FORBIDDEN',
    `${name} needs READ, which this key lacks, so nothing was done. Without READ a job in a result has ${fields}: select no more.`,
  );
  return new GraphQLError(originalError.message, { nodes: node, originalError });
}
