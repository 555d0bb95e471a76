import packageJson from '../../../package.json' with { type: 'json' };
import type { JsonObject } from '../../json.ts';
import type { Vendor } from '../core/dialect-profile.ts';
import type { RestDialect } from '../core/rest-dialect.ts';
import { dialects } from '../dialects.ts';
import { mostWaitSeconds } from '../../web/prefer.ts';
import { operationOf } from './operation-object.ts';
import { anyJson, anyJsonSchema } from './json-schemas.ts';
import { SharedResponses } from './shared-responses.ts';

const vendors: Record<Vendor, string> = {
  VIDOCU: 'Vidocu',
  VIDEOCONDUIT: 'VideoConduit',
  VYDRA: 'Vydra',
  REVID: 'RevidAPI',
};

const description = `The four REST dialects of Longhaul, each under its prefix.

They are also answered at their vendors' original paths, without a prefix: a request is told apart by its prefix, its
Host (\`COMPAT_HOSTS\`), its path and the form of its key, in this order. A key of a vendor's format works in that
dialect alone, a native one in all of them. GET routes answer HEAD too. GraphQL, for everything else, is at \`/graphql\`.`;

/** The dialects' routes as an OpenAPI 3.1 document. The same code always gives the same document. */
export function openApiDocument(): JsonObject {
  const responses = new SharedResponses();
  const described = paths(responses);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Longhaul',
      version: packageJson.version,
      description,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: 'http://localhost:4000', description: 'PUBLIC_URL' }],
    tags: dialects.map(({ name, prefix }) => ({
      name: vendors[name],
      description: `Clients written for ${vendors[name]} set their base URL to this server's and \`${prefix}\`.`,
    })),
    paths: described,
    components: {
      schemas: { [anyJson]: anyJsonSchema },
      responses: responses.components(),
      parameters,
      headers,
      securitySchemes: Object.fromEntries(dialects.map((dialect) => [schemeOf(dialect), securityScheme(dialect)])),
    },
  };
}

function paths(responses: SharedResponses): JsonObject {
  const operations = dialects.flatMap((dialect) =>
    dialect.routes.map((route) => {
      const scheme = schemeOf(dialect);
      const operation = operationOf(dialect, route, { tag: vendors[dialect.name], security: scheme });
      responses.add(scheme, operation);
      return { scheme, path: dialect.prefix + route.path, method: route.method.toLowerCase(), operation };
    }),
  );
  for (const { scheme, operation } of operations) responses.share(scheme, operation);
  const byPath = Map.groupBy(operations, ({ path }) => path);
  return Object.fromEntries(
    [...byPath].map(([path, on]) => [path, Object.fromEntries(on.map(({ method, operation }) => [method, operation]))]),
  );
}

function schemeOf({ prefix }: RestDialect): string {
  return prefix.slice(1);
}

function securityScheme({ name, credential, keyPrefixes }: RestDialect): JsonObject {
  const form = keyPrefixes.map((prefix) => `\`${prefix}…\``).join(' or ');
  const said = `A key for ${vendors[name]}${form === '' ? '' : ` (${form})`}, or a native one.`;
  if (credential === 'x-api-key') return { type: 'apiKey', in: 'header', name: 'x-api-key', description: said };
  return { type: 'http', scheme: 'bearer', description: said };
}

const parameters: JsonObject = {
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    description: 'The same request with the same key within 24 hours gets the same answer, and is charged once.',
    schema: { type: 'string', minLength: 1, maxLength: 255 },
  },
  IfNoneMatch: {
    name: 'If-None-Match',
    in: 'header',
    description: 'The ETag of an earlier answer: 304 while the job is as it was then.',
    schema: { type: 'string' },
  },
  Prefer: {
    name: 'Prefer',
    in: 'header',
    description: `\`wait=N\` holds the answer until the job changes, at most N seconds, ${mostWaitSeconds} at most.`,
    schema: { type: 'string' },
  },
};

/** By the names that the parts of an operation refer to them with. */
const headers: JsonObject = {
  'accept-encoding': { description: 'The encodings of bodies that are taken.', schema: { type: 'string' } },
  etag: { description: 'Of this job in this state, for If-None-Match.', schema: { type: 'string' } },
  'preference-applied': { description: 'What was heeded of Prefer.', schema: { type: 'string' } },
  'retry-after': { description: 'Seconds until it is worth trying again.', schema: { type: 'integer' } },
  'x-job-id': { description: "The job's UUID, whatever the body calls it.", schema: { type: 'string', format: 'uuid' } },
  'x-ratelimit-limit': {
    description: 'Requests a minute that the key has; absent without a limit.',
    schema: { type: 'integer' },
  },
  'x-ratelimit-remaining': { description: 'Requests that are left of them.', schema: { type: 'integer' } },
  'x-ratelimit-reset': { description: 'When they are all there again, in Unix seconds.', schema: { type: 'integer' } },
};
