/*
 * The same three operations as one would write them by hand: Mercurius with its JIT, plain `pg`, statements prepared once
 * per connection, of only the selected columns. The key check is the same as Longhaul's: a look-up by SHA-256 of the secret,
 * cached for two seconds. It has none of Longhaul's other checks, limits and guarantees.
 */
import { createHash } from 'node:crypto';
import { fastify } from 'fastify';
import { GraphQLScalarType } from 'graphql';
import mercurius, { type MercuriusContext } from 'mercurius';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';

const pool = new pg.Pool({
  connectionString: process.env['DATABASE_URL'],
  max: Number(process.env['DATABASE_POOL_SIZE']),
});
// The bench drops the database while we may still be connected.
pool.on('error', () => undefined);

const schema = `
  scalar DateTime
  scalar JSONObject

  enum JobStatus { PENDING RUNNING COMPLETED FAILED CANCELLED }

  type JobProgress {
    step: String
    message: String
    percentage: Float
  }

  type Job {
    id: ID!
    type: String!
    status: JobStatus!
    version: Int!
    input: JSONObject!
    progress: JobProgress
    tags: [String!]!
    priority: Int!
    creditsCharged: Int!
    createdAt: DateTime!
    startedAt: DateTime
    updatedAt: DateTime!
  }

  type PageInfo {
    hasNextPage: Boolean!
    endCursor: String
  }

  type JobEdge {
    cursor: String!
    node: Job!
  }

  type JobConnection {
    edges: [JobEdge!]!
    pageInfo: PageInfo!
  }

  type Query {
    job(id: ID!): Job
    jobs(first: Int!): JobConnection!
  }

  input CreateJobInput {
    type: String!
    input: JSONObject
    idempotencyKey: String
  }

  type CreateJobPayload {
    job: Job!
  }

  type Mutation {
    createJob(input: CreateJobInput!): CreateJobPayload
  }
`;

const columns = `id, type, status, version, input, progress_step, progress_message, progress_percentage, tags, priority,
  credits_charged, started_at, updated_at`;

interface Row {
  id: string;
  type: string;
  status: string;
  version: number;
  input: object;
  progress_step: string | null;
  progress_message: string | null;
  progress_percentage: number | null;
  tags: string[];
  priority: number;
  credits_charged: number;
  started_at: Date | null;
  updated_at: Date;
}

function toJob(row: Row) {
  const { progress_step: step, progress_message: message, progress_percentage: percentage } = row;
  return {
    id: `job_${row.id}`,
    type: row.type,
    status: row.status,
    version: row.version,
    input: row.input,
    progress: step === null && message === null && percentage === null ? null : { step, message, percentage },
    tags: row.tags,
    priority: row.priority,
    creditsCharged: row.credits_charged,
    // The table has no column for it; read it from the id, a UUIDv7.
    createdAt: new Date(Number.parseInt(row.id.slice(0, 8) + row.id.slice(9, 13), 16)),
    startedAt: row.started_at,
    updatedAt: row.updated_at,
  };
}

/** The workspace of the caller's key. */
interface Caller {
  workspaceId: string;
}

declare module 'mercurius' {
  interface MercuriusContext extends Caller {}
}

const resolvers = {
  DateTime: new GraphQLScalarType<Date, string>({
    name: 'DateTime',
    serialize: (value) => (value instanceof Date ? value.toISOString() : String(value)),
  }),
  Query: {
    job: async (_root: unknown, { id }: { id: string }, { workspaceId }: MercuriusContext) => {
      const { rows } = await pool.query<Row>({
        name: 'job',
        text: `SELECT ${columns} FROM job WHERE id = $1 AND workspace_id = $2`,
        values: [id.startsWith('job_') ? id.slice(4) : id, workspaceId],
      });
      return rows[0] === undefined ? null : toJob(rows[0]);
    },
    jobs: async (_root: unknown, { first }: { first: number }, { workspaceId }: MercuriusContext) => {
      const { rows } = await pool.query<Row>({
        name: 'jobs',
        text: `SELECT ${columns} FROM job WHERE workspace_id = $1 ORDER BY id DESC LIMIT $2`,
        values: [workspaceId, first + 1],
      });
      const edges = rows.slice(0, first).map((row) => ({
        cursor: Buffer.from(row.id).toString('base64url'),
        node: toJob(row),
      }));
      return { edges, pageInfo: { hasNextPage: rows.length > first, endCursor: edges.at(-1)?.cursor ?? null } };
    },
  },
  Mutation: {
    createJob: async (
      _root: unknown,
      { input }: { input: { type: string; input?: object } },
      { workspaceId }: Caller,
    ) => {
      const { rows } = await pool.query<Row>({
        name: 'create',
        text: `INSERT INTO job (id, workspace_id, type, input, max_attempts, credits_charged)
               VALUES ($1, $2, $3, $4, 3, 1) RETURNING ${columns}`,
        values: [uuidv7(), workspaceId, input.type, JSON.stringify(input.input ?? {})],
      });
      return { job: rows[0] === undefined ? null : toJob(rows[0]) };
    },
  },
};

const known = new Map<string, { caller: Promise<Caller | null>; until: number }>();

function callerOf(header: string | undefined): Promise<Caller | null> {
  const secret = /^bearer +(\S+) *$/i.exec(header ?? '')?.[1];
  if (secret === undefined) return Promise.resolve(null);
  const hash = createHash('sha256').update(secret).digest('hex');
  const found = known.get(hash);
  if (found !== undefined && found.until > Date.now()) return found.caller;
  const caller = pool
    .query<{ workspace_id: string }>('SELECT workspace_id FROM api_key WHERE hash = $1 AND revoked_at IS NULL', [hash])
    .then(({ rows: [row] }) => (row === undefined ? null : { workspaceId: row.workspace_id }));
  known.set(hash, { caller, until: Date.now() + 2_000 });
  return caller;
}

const app = fastify({ forceCloseConnections: true });
await app.register(mercurius, {
  schema,
  resolvers,
  jit: 1,
  context: async (request) => {
    const caller = await callerOf(request.headers.authorization);
    if (caller === null) throw new Error('Invalid or missing API key');
    return caller;
  },
});
await app.listen({ port: 0, host: '127.0.0.1' });
process.once('SIGTERM', () => {
  void app.close().then(() => pool.end());
});
const address = app.server.address();
const port = typeof address === 'object' && address !== null ? address.port : 0;
process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}` })}\n`);
