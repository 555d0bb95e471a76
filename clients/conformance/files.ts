import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { finished } from 'node:stream/promises';

/** What goes wrong with a request for a file: it breaks off half-way, or one byte of it is another. */
type FileTrouble = 'cut' | 'damaged';

export interface StoredFile {
  id: string;
  content: Buffer;
  sha256: string;
  /** Of the next requests for it. */
  troubles: FileTrouble[];
  requests: number;
}

export interface Upload {
  id: string;
  token: string | null;
  filename: string;
  mediaType: string;
  bytes: number | null;
  sha256: string | null;
  content: Buffer;
  complete: boolean;
}

export const digest = (content: Uint8Array) => createHash('sha256').update(content).digest('hex');

/** The files, on a host of their own, as a bucket is. */
export class Files {
  readonly #server: Server = createServer((request, response) => void this.#answer(request, response).catch(() => request.destroy()));
  readonly #files = new Map<string, StoredFile>();
  readonly uploads = new Map<string, Upload>();
  /** Of the next requests that bring an upload: it breaks off half-way, or there is no room. */
  readonly uploadTroubles: ('cut' | 'full')[] = [];
  requests = 0;
  /** Requests that brought a key along. */
  readonly keys: string[] = [];

  async start(): Promise<void> {
    this.#server.listen(0, 'localhost');
    await once(this.#server, 'listening');
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  store(troubles: FileTrouble[]): StoredFile {
    const content = randomBytes(300_000);
    const file = { id: randomUUID(), content, sha256: digest(content), troubles, requests: 0 };
    this.#files.set(file.id, file);
    return file;
  }

  upload(about: Pick<Upload, 'token' | 'filename' | 'mediaType' | 'bytes' | 'sha256'>): Upload {
    const upload = { ...about, id: randomUUID(), content: Buffer.alloc(0), complete: about.bytes === 0 };
    this.uploads.set(upload.id, upload);
    return upload;
  }

  url(kind: 'files' | 'uploads', id: string): string {
    const address = this.#server.address();
    return `http://localhost:${(address as AddressInfo).port}/${kind}/${id}?signature=good`;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests += 1;
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (request.headers.authorization !== undefined || request.headers['x-api-key'] !== undefined) this.keys.push(`${request.method} ${pathname}`);
    const [, kind, id = ''] = pathname.split('/');
    const file = this.#files.get(id);
    const upload = this.uploads.get(id);
    if (kind === 'files' && file !== undefined) return this.#send(file, request, response);
    if (kind === 'uploads' && upload !== undefined) return this.#receive(upload, request, response);
    return refuse(response, 404, 'NOT_FOUND', 'There is no such file.');
  }

  #send(file: StoredFile, request: IncomingMessage, response: ServerResponse): void {
    const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const size = file.content.length;
    if (from >= size) return refuse(response, 416, 'BAD_USER_INPUT', `The file has ${size} bytes.`);
    const body = Buffer.from(file.content.subarray(from));
    const ranged = request.headers.range === undefined ? {} : { 'content-range': `bytes ${from}-${size - 1}/${size}` };
    const status = request.headers.range === undefined ? 200 : 206;
    response.writeHead(status, { 'content-type': 'application/octet-stream', 'content-length': body.length, 'accept-ranges': 'bytes', ...ranged });
    if (request.method === 'HEAD') return void response.end();
    file.requests += 1;
    const trouble = file.troubles.shift();
    if (trouble === 'cut') return void response.write(body.subarray(0, body.length / 2), () => response.destroy());
    if (trouble === 'damaged') body.writeUInt8(255 - body.readUInt8(0), 0);
    return void response.end(body);
  }

  /** One PUT, or tus: HEAD and PATCH (PROTOCOL.md, F1 and F2). */
  async #receive(upload: Upload, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const tus = { 'tus-resumable': '1.0.0' };
    const told = () => ({ ...tus, 'upload-offset': upload.content.length, ...(upload.bytes === null ? {} : { 'upload-length': upload.bytes }) });
    if (request.method === 'HEAD') return void response.writeHead(200, { ...told(), 'cache-control': 'no-store' }).end();
    if (request.method !== 'PUT' && request.method !== 'PATCH') return refuse(response, 405, 'BAD_USER_INPUT', 'Send it in one PUT, or by tus: HEAD and PATCH.');
    const offset = request.method === 'PUT' ? 0 : Number(request.headers['upload-offset']);
    if (request.method === 'PATCH' && offset !== upload.content.length) return refuse(response, 409, 'OFFSET_CONFLICT', 'Upload-Offset says how much there is.', told());
    const length = Number(request.headers['upload-length']);
    if (length > 0) upload.bytes = length;
    const trouble = this.uploadTroubles.shift();
    if (trouble === 'full') {
      await finished(request.resume());
      return refuse(response, 507, 'INSUFFICIENT_STORAGE', 'The conformance kit says that there is no room, on purpose. Try again later.', tus);
    }
    const before = upload.content.subarray(0, offset);
    const whole = await this.#read(request, upload, before, trouble === 'cut');
    if (!whole) return void request.socket.destroy();
    if (upload.bytes !== null && upload.content.length > upload.bytes) return refuse(response, 413, 'PAYLOAD_TOO_LARGE', 'There are more bytes than were announced.');
    upload.complete = request.method === 'PUT' || upload.content.length === upload.bytes;
    if (upload.complete && upload.bytes !== null && upload.content.length !== upload.bytes) return refuse(response, 400, 'BAD_USER_INPUT', 'There are fewer bytes than were announced.');
    if (upload.complete && upload.sha256 !== null && upload.sha256 !== digest(upload.content)) {
      this.uploads.delete(upload.id);
      return refuse(response, 460, 'CHECKSUM_MISMATCH', 'It is not the file that was announced.');
    }
    if (request.method === 'PATCH') return void response.writeHead(204, told()).end();
    const { id, filename, mediaType, complete } = upload;
    return void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ upload: { id, filename, mediaType, complete } }));
  }

  /** @returns false where it is cut in the middle */
  async #read(request: IncomingMessage, upload: Upload, before: Buffer, cut: boolean): Promise<boolean> {
    const parts = [before];
    for await (const part of request.iterator({ destroyOnReturn: false })) {
      parts.push(part as Buffer);
      upload.content = Buffer.concat(parts);
      if (cut) return false;
    }
    upload.content = Buffer.concat(parts);
    return !cut;
  }
}

function refuse(response: ServerResponse, status: number, code: string, message: string, headers: Record<string, string | number> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify({ error: { code, message } }));
}
