import { renderGraphiQL } from '@graphql-yoga/render-graphiql';
import { createYoga, type YogaServerInstance } from 'graphql-yoga';
import type { Services } from '../services.ts';
import type { GraphQLContext } from './context.ts';
import { graphiqlOptions } from './graphiql.ts';
import {
  costPlugin,
  introspectionPlugin,
  lengthPlugin,
  limitPlugins,
  nestingPlugin,
  syntaxStatusPlugin,
  validationCodePlugin,
} from './limits.ts';
import { paramsPlugin } from './params.ts';
import { publicError } from './public-error.ts';
import { rateLimitPlugin } from './rate-limit.ts';
import { schema } from './schema.ts';

export type Yoga = YogaServerInstance<GraphQLContext, object>;

/** Parsing, validating, executing and rendering, for HTTP, SSE and sockets alike. */
export function createGraphQL(services: Services): Yoga {
  const { config, log } = services;
  return createYoga<GraphQLContext>({
    schema,
    graphqlEndpoint: '/graphql',
    maskedErrors: { maskError: (error) => publicError(error, log) },
    graphiql: config.graphiql ? graphiqlOptions : false,
    // The page with all its parts from here: a server of one's own must not need somebody else's.
    renderGraphiQL,
    landingPage: false,
    plugins: [
      paramsPlugin(),
      lengthPlugin(log),
      ...limitPlugins(),
      nestingPlugin(),
      syntaxStatusPlugin(),
      validationCodePlugin(),
      costPlugin(),
      rateLimitPlugin(services),
      ...(config.introspection ? [] : [introspectionPlugin()]),
    ],
    batching: false,
    multipart: false,
    // Any page may ask, none with the browser's own credentials: a key is sent on purpose or not at all.
    cors: { origin: '*', credentials: false, methods: ['GET', 'POST', 'OPTIONS'] },
    logging: {
      debug: () => undefined,
      info: () => undefined,
      warn: (...parts) => log.warn({ parts: parts.map(String) }, 'graphql'),
      // Nothing: it is told of every refusal, with the document's text and whatever secret stands in it. publicError has
      // logged what is a bug.
      error: () => undefined,
    },
  });
}
