import { z } from 'zod';
import { answer } from '../core/answer.ts';
import { route } from '../core/call.ts';
import { answeredAtOnce, type Envelope, envelope } from './envelope.ts';
import { queueLength } from './queue-length.ts';

export const authenticationPath = '/v1/toolkit/authenticate';

/** As the toolkit names it; the path is longer. */
const endpoint = '/authenticate';

/** GET /v1/toolkit/authenticate: tells a client that its key is good. */
export const authenticationRoute = route({
  kind: 'other',
  method: 'GET',
  path: authenticationPath,
  summary: 'Check an API key',
  scope: 'READ',
  answers: { 200: { description: 'The key is good.', schema: envelope.extend({ response: z.literal('Authorized') }) } },
  async handle({ services, viewer }) {
    const startedAt = performance.now();
    const waiting = await queueLength(services.jobs, viewer);
    return answer(200, answeredAtOnce({ endpoint, id: null, response: 'Authorized' }, { startedAt, queueLength: waiting }));
  },
});

/** The same for a key that is not valid: it has no workspace whose queue could be counted. */
export function notAuthorized(): Envelope {
  const about = { endpoint, code: 401, id: null, response: null, message: 'Unauthorized' };
  return answeredAtOnce(about, { startedAt: performance.now(), queueLength: 0 });
}
