import type { Job } from '../../jobs/model/job.ts';
import { type JsonObject, isJsonObject } from '../../json.ts';
import type { Route } from '../core/call.ts';
import { jsonSchemaOf } from './json-schemas.ts';

const sampleId = '0198c0de-4e1b-7000-8000-5f1d2a3b4c5d';

const createdAt = new Date('2026-01-26T12:00:00.000Z');
const finishedAt = new Date('2026-01-26T12:15:00.000Z');

/** A job that has ended, for refusals that mention one. */
export const sampleJob: Job = {
  id: sampleId,
  workspaceId: '0198c0de-0000-7000-8000-000000000000',
  type: 'house-timelapse',
  status: 'COMPLETED',
  version: 4,
  input: { theme: 'Cliffside Ocean Mansion' },
  progress: null,
  output: { videoUrl: 'https://example.com/output.mp4' },
  error: null,
  tags: [],
  priority: 0,
  attempt: 1,
  failedAttempts: 0,
  maxAttempts: 3,
  creditsCharged: 150,
  creditsRefunded: 0,
  webhookUrl: null,
  clientReference: null,
  concurrencyKey: null,
  concurrencyLimit: null,
  dialect: 'VYDRA',
  artifactId: null,
  artifactExpiresAt: null,
  videoArtifactId: null,
  imageArtifactId: null,
  retryOfId: null,
  scheduleId: null,
  cancelReason: null,
  runAt: null,
  dueAt: createdAt,
  createdAt,
  startedAt: createdAt,
  finishedAt,
  statusChangedAt: finishedAt,
  updatedAt: finishedAt,
};

/** Fixed values for fields that differ with every answer, process or run. */
const steady: Readonly<Record<string, unknown>> = { pid: 4711, job_id: sampleId, run_time: 0.001, total_time: 0.001 };

/** An answer's body with fixed values, so that everyone prints the same document. */
export function steadied(body: string): JsonObject {
  const value: JsonObject = JSON.parse(body, (name, given: unknown) => (given === null ? null : (steady[name] ?? given)));
  return value;
}

const sampleValues: JsonObject = { job_id: sampleId, workflow: 'house-timelapse', language: 'en', voiceId: 'voice-1' };

/** A body that the route takes: its required fields, all of which are strings. Undefined where it takes none. */
export function sampleBody({ body }: Route): JsonObject | undefined {
  if (body === undefined) return undefined;
  const { required } = jsonSchemaOf(body, 'input');
  const names = Array.isArray(required) ? required.map(String) : [];
  return Object.fromEntries(names.map((name) => [name, sampleValues[name] ?? 'https://example.com/video.mp4']));
}

/** Bodies that the route may refuse: no object, each required field left out, each field of another type. */
export function wrongBodies(route: Route): unknown[] {
  const { body } = route;
  if (body === undefined) return [];
  const right = sampleBody(route) ?? {};
  const { properties } = jsonSchemaOf(body, 'input');
  const names = isJsonObject(properties) ? Object.keys(properties) : [];
  return [
    ...Object.keys(right).map((name) => ({ id: null, ...without(right, name) })),
    ...names.map((name) => ({ ...right, [name]: [] })),
    ['an array'],
  ];
}

function without(object: JsonObject, name: string): JsonObject {
  const { [name]: _left, ...rest } = object;
  return rest;
}
