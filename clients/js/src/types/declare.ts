/** A JSON Schema, as far as it is known to be one. */
type Schema = boolean | { readonly [keyword: string]: unknown };

/** A type of job, as the server lists it. */
export interface ListedType {
  name: string;
  description: string;
  inputSchema: Schema;
  outputSchema: Schema | null;
}

/** A module that declares `JobTypes`, with input and output of each type. */
export function declareTypes(types: readonly ListedType[], from: string): string {
  const members = types.map((type) => {
    const output = type.outputSchema === null ? 'unknown' : typeOf(type.outputSchema, type.outputSchema, 2);
    return `${comment(type.description, 1)}  ${key(type.name)}: {
    input: ${typeOf(type.inputSchema, type.inputSchema, 2)};
    output: ${output};
  };
`;
  });
  return `/* Made by @longhaul/client from ${from.replaceAll('*/', '')}; make it again after a change there. */

/** For createClient<JobTypes>(…). */
export interface JobTypes {
${members.join('')}}
`;
}

/** How deep references are followed: one that leads to itself becomes unknown there. */
const deepest = 12;

/** The TypeScript type of what a schema takes. What TypeScript cannot say (patterns, bounds) is left out. @param root for references */
function typeOf(schema: unknown, root: Schema, depth: number): string {
  if (typeof schema === 'boolean') return schema ? 'unknown' : 'never';
  if (!isObject(schema) || depth > deepest) return 'unknown';
  const { $ref, const: only, enum: some, type, allOf, anyOf, oneOf } = schema;
  if (typeof $ref === 'string') return typeOf(resolve($ref, root), root, depth + 1);
  if (only !== undefined) return literal(only);
  if (Array.isArray(some)) return union(some.map(literal));
  const parts = [
    ...(Array.isArray(type) ? [union(type.map((one) => basic(one, schema, root, depth)))] : type !== undefined || 'properties' in schema ? [basic(type ?? 'object', schema, root, depth)] : []),
    ...(Array.isArray(anyOf) ? [union(anyOf.map((one) => typeOf(one, root, depth)))] : []),
    ...(Array.isArray(oneOf) ? [union(oneOf.map((one) => typeOf(one, root, depth)))] : []),
    ...(Array.isArray(allOf) ? allOf.map((one) => typeOf(one, root, depth)) : []),
  ].filter((part) => part !== 'unknown');
  if (parts.length < 2) return parts[0] ?? 'unknown';
  return parts.map((part) => (part.includes(' | ') ? `(${part})` : part)).join(' & ');
}

function basic(type: unknown, schema: Record<string, unknown>, root: Schema, depth: number): string {
  switch (type) {
    case 'string':
    case 'boolean':
    case 'null':
      return type;
    case 'number':
    case 'integer':
      return 'number';
    case 'array':
      return arrayOf(schema, root, depth);
    case 'object':
      return objectOf(schema, root, depth);
    default:
      return 'unknown';
  }
}

function arrayOf({ items, prefixItems }: Record<string, unknown>, root: Schema, depth: number): string {
  if (Array.isArray(prefixItems)) {
    const rest = items === false ? '' : `, ...(${typeOf(items ?? true, root, depth)})[]`;
    return `[${prefixItems.map((one) => typeOf(one, root, depth)).join(', ')}${rest}]`;
  }
  return `(${typeOf(items ?? true, root, depth)})[]`.replace(/^\((\w+)\)/, '$1');
}

function objectOf({ properties, required, additionalProperties }: Record<string, unknown>, root: Schema, depth: number): string {
  const needed = new Set<unknown>(Array.isArray(required) ? required : []);
  const indent = '  '.repeat(depth + 1);
  const fields = Object.entries(isObject(properties) ? properties : {}).map(([name, schema]) => {
    const description = isObject(schema) && typeof schema['description'] === 'string' ? comment(schema['description'], depth + 1) : '';
    return `${description}${indent}${key(name)}${needed.has(name) ? '' : '?'}: ${typeOf(schema, root, depth + 1)};\n`;
  });
  if (fields.length === 0) return additionalProperties === false ? 'Record<string, never>' : `Record<string, ${typeOf(additionalProperties ?? true, root, depth)}>`;
  return `{\n${fields.join('')}${'  '.repeat(depth)}}`;
}

function resolve(reference: string, root: Schema): unknown {
  if (!reference.startsWith('#')) return true;
  let found: unknown = root;
  for (const part of decodeURIComponent(reference.slice(1)).split('/').slice(1)) {
    found = isObject(found) ? found[part.replaceAll('~1', '/').replaceAll('~0', '~')] : undefined;
  }
  return found;
}

function union(types: readonly string[]): string {
  return types.length === 0 ? 'never' : [...new Set(types)].join(' | ');
}

function literal(value: unknown): string {
  return typeof value === 'object' && value !== null ? 'unknown' : JSON.stringify(value);
}

function key(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}

function comment(text: string, depth: number): string {
  return text === '' ? '' : `${'  '.repeat(depth)}/** ${text.replaceAll('*/', '*\\/').replaceAll(/\s+/g, ' ')} */\n`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
