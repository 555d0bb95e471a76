/*
 * `GET /videoconduit/v1/jobs/{id}` as one would write it by hand: a Fastify route with one SELECT through plain `pg`,
 * prepared once per connection, of only the shown columns. The key check is the same as Longhaul's: a look-up by SHA-256 of
 * the secret, cached for two seconds. No entity tags, limits, metrics or scopes.
 */
import { createHash } from 'node:crypto';
import { fastify } from 'fastify';
import pg from 'pg';

const pool = new pg.Pool({
  connectionString: process.env['DATABASE_URL'],
  max: Number(process.env['DATABASE_POOL_SIZE']),
});
// The bench drops the database while we may still be connected.
pool.on('error', () => undefined);

interface Row {
  id: string;
  type: string;
  status: string;
  input: { sourceUrl?: string };
  output: object | null;
  error_message: string | null;
  credits_charged: number;
  finished_at: Date | null;
}

const statuses: Record<string, string> = { PENDING: 'pending', RUNNING: 'processing', COMPLETED: 'completed' };

function toJob(row: Row) {
  return {
    job_id: row.id,
    job_type: row.type,
    status: statuses[row.status] ?? 'failed',
    source_url: row.input.sourceUrl ?? '',
    parameters: row.input,
    credits_charged: row.credits_charged,
    download_url: null,
    result_data: row.output,
    error_message: row.error_message,
    // The table has no column for it; read it from the id, a UUIDv7.
    created_at: wholeSeconds(new Date(Number.parseInt(row.id.slice(0, 8) + row.id.slice(9, 13), 16))),
    completed_at: row.finished_at === null ? null : wholeSeconds(row.finished_at),
    expires_at: null,
  };
}

function wholeSeconds(instant: Date): string {
  return `${instant.toISOString().slice(0, 19)}Z`;
}

/** The workspace of the caller's key. */
interface Caller {
  workspaceId: string;
}

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
app.get<{ Params: { id: string } }>('/videoconduit/v1/jobs/:id', async (request, reply) => {
  const caller = await callerOf(request.headers.authorization);
  if (caller === null) {
    return reply.code(401).send({ detail: 'Invalid or missing API key', code: 'unauthorized' });
  }
  const { rows } = await pool.query<Row>({
    name: 'job',
    text: `SELECT id, type, status, input, output, error_message, credits_charged, finished_at
           FROM job WHERE id = $1 AND workspace_id = $2`,
    values: [request.params.id, caller.workspaceId],
  });
  const [row] = rows;
  if (row === undefined) return reply.code(404).send({ detail: 'Job not found', code: 'not_found' });
  return toJob(row);
});
await app.listen({ port: 0, host: '127.0.0.1' });
process.once('SIGTERM', () => {
  void app.close().then(() => pool.end());
});
const address = app.server.address();
const port = typeof address === 'object' && address !== null ? address.port : 0;
process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}` })}\n`);
