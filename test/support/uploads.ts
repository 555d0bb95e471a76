import { createHash } from 'node:crypto';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect } from 'vitest';

import { isJsonObject, type JsonObject } from '../../src/json.ts';
import type { Longhaul } from './longhaul.ts';

const createUploadMutation = `mutation ($input: CreateUploadInput!) {
  createUpload(input: $input) {
    __typename
    ... on CreateUploadPayload { uploadUrl upload { id filename mediaType bytes receivedBytes sha256 complete expiresAt } }
    ... on UserError { code message }
    ... on ValidationError { issues { path message } }
    ... on QuotaExceededError { limitBytes }
  }
}`;

/** What createUpload answers; the code of an error that is thrown. */
export async function askForUpload(longhaul: Longhaul, key: string | null, input: JsonObject): Promise<JsonObject> {
  const { data, errors } = await longhaul.graphql(createUploadMutation, { input }, key);
  const [error] = errors;
  const answer = data?.['createUpload'];
  return isJsonObject(answer) ? answer : { code: error?.extensions['code'] ?? null, message: error?.message ?? null };
}

/** An upload, and where it is sent to. */
export async function newUpload(longhaul: Longhaul, key: string, input: JsonObject = {}): Promise<{ id: string; uuid: string; url: string }> {
  const answer = await askForUpload(longhaul, key, { filename: 'a.bin', ...input });
  const { upload, uploadUrl } = answer;
  if (!isJsonObject(upload) || typeof uploadUrl !== 'string') throw new Error(`There is no upload: ${JSON.stringify(answer)}`);
  const id = String(upload['id']);
  return { id, uuid: id.slice('upload_'.length), url: uploadUrl };
}

/** An access token for a tag. */
export async function tokenFor(longhaul: Longhaul, key: string, tag: string): Promise<string> {
  const document = 'mutation ($tag: String) { createAccessToken(input: { tag: $tag, scopes: [READ, WRITE] }) { ... on CreateAccessTokenPayload { token } } }';
  const { data } = await longhaul.graphql(document, { tag }, key);
  const answer = data?.['createAccessToken'];
  return isJsonObject(answer) ? String(answer['token']) : '';
}

/** An upload as a node, by its global id. */
export async function readUpload(longhaul: Longhaul, key: string, id: string): Promise<JsonObject | null> {
  const document = 'query ($id: ID!) { node(id: $id) { ... on Upload { id filename mediaType bytes receivedBytes sha256 complete expiresAt } } }';
  const { data } = await longhaul.graphql(document, { id }, key);
  const node = data?.['node'];
  return isJsonObject(node) ? node : null;
}

/** A request of tus. */
export function tus(url: string, method: string, headers: Record<string, string> = {}, body?: Uint8Array): Promise<Response> {
  return fetch(url, { method, headers: { 'tus-resumable': '1.0.0', ...headers }, ...(body === undefined ? {} : { body: Buffer.from(body) }) });
}

/** Sends a piece of a file, from its offset on. */
export function patch(url: string, offset: number, body: Uint8Array, headers: Record<string, string> = {}): Promise<Response> {
  return tus(url, 'PATCH', { 'content-type': 'application/offset+octet-stream', 'upload-offset': String(offset), ...headers }, body);
}

/** How much the server has. */
export async function offsetOf(url: string): Promise<number> {
  const { status, headers } = await tus(url, 'HEAD');
  if (status !== 200) throw new Error(`HEAD is answered with ${status}`);
  return Number(headers.get('upload-offset'));
}

/** The code in the body of a refusal. */
export async function codeOf(response: Response): Promise<string> {
  const { error }: { error?: { code?: string } } = JSON.parse(await response.text());
  return error?.code ?? '';
}

export function sha256Of(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** A request whose body is sent bit by bit, and can be cut. */
export class SlowSender {
  readonly #request: ClientRequest;
  readonly answered: Promise<IncomingMessage>;

  constructor(url: string, { method = 'PATCH', offset = 0, length, headers = {} }: { method?: string; offset?: number; length?: number; headers?: Record<string, string> } = {}) {
    this.#request = request(url, {
      method,
      headers: {
        'tus-resumable': '1.0.0',
        ...(method === 'PATCH' ? { 'content-type': 'application/offset+octet-stream', 'upload-offset': offset } : {}),
        ...(length === undefined ? {} : { 'content-length': length }),
        ...headers,
      },
    });
    this.answered = new Promise((resolve, reject) => this.#request.once('response', resolve).once('error', reject));
    this.answered.catch(() => {});
  }

  async send(chunk: Uint8Array): Promise<void> {
    await new Promise<void>((resolve, reject) => this.#request.write(chunk, (error) => (error ? reject(error) : resolve())));
  }

  end(): void {
    this.#request.end();
  }

  cut(): void {
    this.#request.destroy();
  }
}

/** The code in the body of a refusal. */
export async function codeIn(message: IncomingMessage): Promise<string> {
  return codeOf(new Response(await text(message)));
}

/** An upload that is complete. */
export async function sentUpload(longhaul: Longhaul, key: string, content: Uint8Array, input: JsonObject = {}): Promise<{ id: string; uuid: string; url: string }> {
  const upload = await newUpload(longhaul, key, input);
  const { status } = await fetch(upload.url, { method: 'PUT', body: Buffer.from(content) });
  if (status !== 200) throw new Error(`PUT is answered with ${status}`);
  return upload;
}

/** Sees what becomes of the uploads of a workspace whose server stores on disk. */
export class UploadWatch {
  readonly #longhaul: Longhaul;
  readonly #folder: string;

  private constructor(longhaul: Longhaul, workspaceId: string) {
    this.#longhaul = longhaul;
    this.#folder = join(longhaul.shared['ARTIFACTS_DIR'] ?? '', workspaceId);
  }

  static of(longhaul: Longhaul, workspace: { id: string }): UploadWatch {
    return new UploadWatch(longhaul, workspace.id);
  }

  /** Names of the files in the store that are this upload's. */
  async filesOf({ uuid }: { uuid: string }): Promise<string[]> {
    const names = await readdir(this.#folder).catch(() => []);
    return names.filter((name) => name.startsWith(uuid));
  }

  /** Resolves when the row says that so much was received. */
  async received({ uuid }: { uuid: string }, bytes: number): Promise<void> {
    await expect.poll(() => this.#count('id = $1 AND received_bytes = $2::bigint', [uuid, bytes])).toBe(1);
  }

  /** Resolves when so much of it is in the store. */
  async written(upload: { uuid: string }, bytes: number): Promise<void> {
    const size = async () => {
      const [name = 'none'] = await this.filesOf(upload);
      return (await stat(join(this.#folder, name)).catch(() => null))?.size;
    };
    await expect.poll(size).toBe(bytes);
  }

  /** Resolves when a request writes it. */
  async underWay({ uuid }: { uuid: string }): Promise<void> {
    await expect.poll(() => this.#count('id = $1 AND writer IS NOT NULL', [uuid])).toBe(1);
  }

  /** As if its time were over. */
  async expire({ uuid }: { uuid: string }): Promise<void> {
    await this.#longhaul.services.database.hot.query(`UPDATE upload SET expires_at = now() - interval '1 s' WHERE id = $1`, [uuid]);
  }

  async #count(condition: string, values: unknown[]): Promise<number> {
    return (await this.#longhaul.services.database.hot.query(`SELECT 1 FROM upload WHERE ${condition}`, values)).length;
  }
}
