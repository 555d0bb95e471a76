import { z } from 'zod';
import { httpUrl } from '../../input.ts';
import { source } from '../../jobs/types/sources.ts';
import { answer } from '../core/answer.ts';
import type { Route } from '../core/call.ts';
import { submissionRoute } from '../core/submit.ts';
import { flag, integerFrom, object, oneOf, text, textUpTo, uri } from './python.ts';
import { queueLength } from './queue-length.ts';
import { server, submissionEndpoint } from './revid-server.ts';

/** The parameters of the vendor's page on media transcription, and no others. */
const body = object({
  media_url: uri(source).describe('Media to transcribe: its URL, or upload:ID.'),
  task: oneOf(['transcribe', 'translate']).optional(),
  include_text: flag().optional(),
  include_srt: flag().optional(),
  include_segments: flag().optional(),
  word_timestamps: flag().optional(),
  response_type: oneOf(['direct', 'cloud']).optional(),
  language: text().optional(),
  max_words_per_line: integerFrom(1).optional(),
  // An empty one is none, as in the toolkit.
  webhook_url: uri(z.union([z.literal(''), httpUrl])).optional().describe('Told when this job has ended.'),
  id: textUpTo(1_000).optional().describe("The caller's own reference; answers and the webhook carry it."),
});

const accepted = z.object({
  code: z.literal(202),
  id: z.string().nullable(),
  job_id: z.uuid(),
  message: z.literal('processing'),
  pid: z.int(),
  queue_id: z.int(),
  max_queue_length: z.union([z.int(), z.literal('unlimited')]),
  queue_length: z.int(),
  build_number: z.string(),
});

const type = 'media/transcribe';
const places = { type: [], input: [], webhookUrl: ['webhook_url'] };

/** RevidAPI's path, and the one that its status answers name. */
const paths = ['/paid/media/transcribe', submissionEndpoint];

/** POST /v1/media/transcribe: always asynchronous, with a webhook or without. */
export const submissionRoutes: readonly Route[] = paths.map((path) =>
  submissionRoute({
    path,
    summary: 'Transcribe or translate media',
    body,
    answers: { 202: { description: 'The job was created.', schema: accepted } },
    places,
    submission({ body: { webhook_url: url, id: clientReference = null, ...input } }) {
      return { type, input: parameters(input), webhookUrl: url === '' ? undefined : url, clientReference };
    },
    before: ({ services, viewer }) => queueLength(services.jobs, viewer),
    accepted({ services }, job, waiting = 0) {
      return answer(202, {
        code: 202,
        id: job.clientReference,
        job_id: job.id,
        message: 'processing',
        pid: process.pid,
        queue_id: server.queueId,
        max_queue_length: services.jobs.limits.maxQueueLength,
        queue_length: waiting + 1,
        build_number: server.buildNumber,
      } satisfies z.output<typeof accepted>);
    },
  }),
);

/** Those that were sent. */
function parameters<Value>(sent: Readonly<Record<string, Value | undefined>>): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(sent).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
  );
}
