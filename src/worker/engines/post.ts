import { Agent, fetch, type FormData } from 'undici';
import { HandlerError } from '../handler.ts';

/** Bytes of an answer. */
const maxAnswer = 256 * 1024 ** 2;

interface Question {
  url: string;
  key: string | null;
  /** As a form, or as JSON. */
  body: { form: FormData } | { json: object };
  signal: AbortSignal;
  seconds: number;
}

/**
 * Asks an engine, which may think for long before its first word. Its address is the operator's, so that it may be a private one.
 *
 * @throws HandlerError ENGINE_FAILED; the signal's reason
 */
export async function post({ url, key, body, signal, seconds }: Question): Promise<Buffer> {
  const agent = new Agent({ headersTimeout: seconds * 1_000, bodyTimeout: seconds * 1_000 });
  try {
    const answer = await fetch(url, {
      method: 'POST',
      dispatcher: agent,
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(seconds * 1_000)]),
      headers: { ...(key !== null && { authorization: `Bearer ${key}` }), ...('json' in body && { 'content-type': 'application/json' }) },
      body: 'form' in body ? body.form : JSON.stringify(body.json),
    });
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of answer.body ?? []) {
      bytes += chunk.byteLength;
      if (bytes > maxAnswer) throw failed('answered with more than can be taken', false);
      chunks.push(chunk);
    }
    if (answer.ok) return Buffer.concat(chunks);
    throw failed(`answered with status ${answer.status}`, answer.status === 408 || answer.status === 429 || answer.status >= 500);
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof HandlerError ? error : failed('did not answer', true, error);
  } finally {
    await agent.destroy();
  }
}

function failed(why: string, retryable: boolean, cause?: unknown): HandlerError {
  const advice = retryable ? 'Try again later.' : 'Its operator has to look at it.';
  return new HandlerError('ENGINE_FAILED', `The engine of this server ${why}. ${advice}`, { retryable, cause });
}
