import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { validate as isUuid } from 'uuid';
import type { ArtifactLinks } from '../artifacts/links.ts';
import { artifactHours } from '../jobs/completion-batch.ts';
import { LonghaulError } from '../errors.ts';
import type { Job, JsonObject, JsonValue } from '../jobs/job.ts';
import { isBetweenAttempts, type JobStatus } from '../jobs/state-machine.ts';
import type { Services } from '../services.ts';
import { authenticate, secretIn } from '../workspaces/authenticate.ts';
import { maySee } from '../workspaces/viewer.ts';

type ShownStatus = 'pending' | 'processing' | 'completed' | 'failed';

/** GET /v1/jobs/{job_id}: DIALECTS.md, section 4. All twelve keys, always. */
interface VideoConduitJob {
  job_id: string;
  job_type: string;
  status: ShownStatus;
  source_url: string;
  parameters: JsonObject;
  credits_charged: number;
  download_url: string | null;
  result_data: JsonObject | null;
  error_message: string | null;
  created_at: string;
  completed_at: string | null;
  expires_at: string | null;
}

/** What a cancelled job says in dialects that know no such state: their clients would poll a fifth word for ever. */
const cancelledMessage = 'Job was cancelled';

/** VideoConduit's routes under /videoconduit. */
export function videoConduitRoutes(app: FastifyInstance, services: Services): void {
  void app.register(
    async (scope) => {
      scope.setErrorHandler((error, _request, reply) => sendError(reply, error, services));
      scope.setNotFoundHandler((_request, reply) => reply.code(404).send(body('not_found', 'Not found')));
      scope.addHook('onRequest', async (_request, reply) => {
        reply.header('cache-control', 'no-store');
      });
      scope.get<{ Params: { jobId: string } }>('/v1/jobs/:jobId', async (request) => {
        const viewer = await viewerOf(request, services);
        if (!viewer.scopes.has('READ')) throw new LonghaulError('FORBIDDEN', 'The key lacks the scope READ');
        const { jobId } = request.params;
        const job = isUuid(jobId) ? await services.jobs.find(viewer.workspaceId, jobId.toLowerCase()) : null;
        if (job === null || !maySee(viewer, job)) throw new LonghaulError('NOT_FOUND', 'Job not found');
        return projectVideoConduit(job, services.links);
      });
    },
    { prefix: '/videoconduit' },
  );
}

/** The job as VideoConduit shows it: a pure function of the row. */
export function projectVideoConduit(job: Job, links: ArtifactLinks): VideoConduitJob {
  const status = shownStatus(job.status, job.attempt);
  const completed = status === 'completed';
  const result = completed ? asObject(job.output) : null;
  const download = completed ? downloadOf(job, result, links) : null;
  return {
    job_id: job.id,
    job_type: job.type,
    status,
    source_url: sourceOf(job.input),
    parameters: job.input,
    credits_charged: job.creditsCharged,
    download_url: download?.url ?? null,
    result_data: result,
    error_message: status === 'failed' ? (job.error?.message ?? cancelledMessage) : null,
    created_at: wholeSeconds(job.createdAt),
    completed_at: job.finishedAt === null ? null : wholeSeconds(job.finishedAt),
    expires_at: download?.expiresAt ?? null,
  };
}

function shownStatus(status: JobStatus, attempt: number): ShownStatus {
  switch (status) {
    case 'PENDING':
      // Between two attempts: no client may see its job go back.
      return isBetweenAttempts(status, attempt) ? 'processing' : 'pending';
    case 'RUNNING':
      return 'processing';
    case 'COMPLETED':
      return 'completed';
    case 'FAILED':
    case 'CANCELLED':
      return 'failed';
  }
}

/** The job's own file, else the first URL that the result names. */
function downloadOf(job: Job, result: JsonObject | null, links: ArtifactLinks): { url: string; expiresAt: string } | null {
  if (job.artifactId !== null && job.artifactExpiresAt !== null) {
    if (job.artifactExpiresAt.getTime() <= Date.now()) return null;
    const url = links.sign({ id: job.artifactId, expiresAt: job.artifactExpiresAt });
    return { url, expiresAt: wholeSeconds(job.artifactExpiresAt) };
  }
  const url = ['download_url', 'downloadUrl', 'url', 'videoUrl']
    .map((name) => result?.[name])
    .find((value) => typeof value === 'string');
  if (url === undefined || job.finishedAt === null) return null;
  const stated = result?.['expires_at'];
  const kept = new Date(job.finishedAt.getTime() + artifactHours * 3_600_000);
  return { url, expiresAt: typeof stated === 'string' ? stated : wholeSeconds(kept) };
}

/** The fields in which the types of this dialect and its neighbours name their source. */
function sourceOf(input: JsonObject): string {
  const source = [input['sourceUrl'], input['source_url'], input['url'], input['media_url']].find(
    (value) => typeof value === 'string',
  );
  return source ?? '';
}

/** A result that is no object is wrapped; the field is documented as one. */
function asObject(output: JsonValue): JsonObject {
  return typeof output === 'object' && output !== null && !Array.isArray(output) ? output : { value: output };
}

/** `2025-01-15T10:00:00Z`: this dialect has no fractions. */
function wholeSeconds(instant: Date): string {
  return instant.toISOString().replace(/\.\d{3}Z$/, 'Z');
}

function viewerOf(request: FastifyRequest, services: Services) {
  const secret = secretIn(request.headers);
  if (secret === null) throw new LonghaulError('UNAUTHENTICATED', 'Invalid or missing API key');
  return authenticate(services, secret, 'VIDEOCONDUIT');
}

/** DIALECTS.md, section 4, "Errors": always both keys. */
function body(code: string, detail: string): { detail: string; code: string } {
  return { detail, code };
}

function sendError(reply: FastifyReply, error: unknown, { log }: Services): FastifyReply {
  const code = error instanceof LonghaulError ? error.code : null;
  if (code === 'UNAUTHENTICATED') return reply.code(401).send(body('unauthorized', 'Invalid or missing API key'));
  if (code === 'FORBIDDEN') return reply.code(403).send(body('forbidden', 'The key may not read jobs'));
  if (code === 'NOT_FOUND') return reply.code(404).send(body('not_found', 'Job not found'));
  if (code === 'UNAVAILABLE') return reply.code(503).send(body('server_error', 'Try again later'));
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
  if (status < 500) return reply.code(status).send(body('bad_request', error instanceof Error ? error.message : ''));
  log.error({ err: error }, 'a VideoConduit request failed');
  return reply.code(500).send(body('server_error', 'Internal server error'));
}
