import { type ArgumentNode, type GraphQLSchema, Kind } from 'graphql';

/** Where a visitor is: graphql-js's TypeInfo, or the context of a rule. */
interface Place {
  getParentType(): unknown;
  getDirective(): unknown;
}

/** Whether an argument is the input of a mutation, written in the document. */
export function isMutationInput({ value }: ArgumentNode, place: Place, schema: GraphQLSchema): boolean {
  return value.kind === Kind.OBJECT && place.getDirective() == null && place.getParentType() === schema.getMutationType();
}
