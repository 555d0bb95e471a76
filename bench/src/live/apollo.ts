/*
 * Apollo Server with subscriptions as in its documentation: Express, graphql-ws, and graphql-redis-subscriptions instead of
 * the in-memory PubSub. The job itself comes over Redis. No database is read, no key is checked, and no version is skipped.
 */
import { createServer } from 'node:http';
import { ApolloServer } from '@apollo/server';
import { ApolloServerPluginDrainHttpServer } from '@apollo/server/plugin/drainHttpServer';
import { expressMiddleware } from '@as-integrations/express5';
import { makeExecutableSchema } from '@graphql-tools/schema';
import express from 'express';
import { RedisPubSub } from 'graphql-redis-subscriptions';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';

const pubSub = new RedisPubSub({ connection: process.env['REDIS_URL'] ?? '' });

const schema = makeExecutableSchema({
  typeDefs: `
    enum JobStatus { PENDING RUNNING COMPLETED FAILED CANCELLED }
    type JobProgress { step: String message: String percentage: Float }
    type Job { id: ID! status: JobStatus! version: Int! progress: JobProgress updatedAt: String! }
    type Query { job(id: ID!): Job }
    type Subscription { jobProgress(id: ID!, afterVersion: Int): Job! }
  `,
  resolvers: {
    Subscription: {
      jobProgress: {
        subscribe: (_root: unknown, { id }: { id: string }) => pubSub.asyncIterableIterator(`bench:${id}`),
        resolve: (job: object) => job,
      },
    },
  },
});

const app = express();
const httpServer = createServer(app);
const socketServer = new WebSocketServer({ server: httpServer, path: '/graphql' });
const sockets = useServer({ schema }, socketServer);
const apollo = new ApolloServer({
  schema,
  plugins: [
    ApolloServerPluginDrainHttpServer({ httpServer }),
    { serverWillStart: async () => ({ drainServer: async () => sockets.dispose() }) },
  ],
});
await apollo.start();
app.use('/graphql', express.json(), expressMiddleware(apollo));

httpServer.listen(0, '127.0.0.1', () => {
  const address = httpServer.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}` })}\n`);
});
process.once('SIGTERM', () => process.exit());
