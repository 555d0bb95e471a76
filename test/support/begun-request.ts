import { once } from 'node:events';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { onTestFinished } from 'vitest';

/** Begins a GraphQL request: the server has read its headers, and its body is still to come. It ends with the test. */
export async function beginRequest(url: string, key: string, document: string) {
  const body = JSON.stringify({ query: document });
  const request = httpRequest(`${url}/graphql`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      expect: '100-continue',
    },
  });
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve);
    request.once('error', reject);
  });
  onTestFinished(() => void request.destroy());
  request.flushHeaders();
  await once(request, 'continue');
  return { answer, finish: () => void request.end(body) };
}
