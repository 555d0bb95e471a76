import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** Number of connections, each with one request in flight. */
export const connections = 32;

/** A load of GraphQL operations. */
export interface Load {
  /** The body of the next request. */
  body: () => string;
  /** Throws if the data is not what was asked for. Called with the first answer of each connection. */
  check: (data: unknown) => void;
}

/** A load of any HTTP requests. */
export interface Exchange {
  /** The raw next request. */
  request: () => string;
  /** Start of every response head: `HTTP/1.1 200 `. */
  head: string;
  /** Start of every response body; empty if there is none. */
  body: Buffer;
  /** Throws if the answer is not what was asked for. Called with the first answer of each connection. */
  check: (answer: Buffer) => void;
}

/**
 * Keeps every connection busy for some time, then lets requests in flight finish.
 *
 * Uses its own HTTP/1.1 client rather than autocannon, which drops requests in flight at the end, so rows could not be
 * compared with answers, and needs slightly more CPU for small answers. Both contestants answer with Content-Length, on
 * keep-alive connections.
 *
 * @returns the number of answers, and the seconds until the last one
 */
export async function runLoad(port: number, exchange: Exchange, seconds: number): Promise<{ answers: number; seconds: number }> {
  const lines = await Promise.all(Array.from({ length: connections }, () => open(port)));
  const start = performance.now();
  const end = start + seconds * 1_000;
  const counts = await Promise.all(lines.map((line) => converse(line, exchange, end)));
  const taken = performance.now() - start;
  for (const { socket } of lines) socket.destroy();
  return { answers: counts.reduce((sum, count) => sum + count, 0), seconds: taken / 1_000 };
}

/** A connection and its read buffer. */
interface Line {
  socket: Socket;
  onRead: (part: Buffer) => void;
}

/** All connections share one read buffer, because each read is processed before the next. */
const incoming = Buffer.alloc(1024 * 1024);

async function open(port: number): Promise<Line> {
  const onread = {
    buffer: incoming,
    callback: (bytes: number) => {
      line.onRead(incoming.subarray(0, bytes));
      return true;
    },
  };
  const line: Line = {
    socket: connect({ host: '127.0.0.1', port, noDelay: true, onread }),
    onRead: () => undefined,
  };
  await once(line.socket, 'connect');
  return line;
}

/** Sends one request after another until `end`. */
function converse(line: Line, exchange: Exchange, end: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const { socket } = line;
    let answers = 0;
    /** The first parts of an answer that arrives in several. */
    let before: Buffer | null = null;
    const send = () => socket.write(exchange.request());
    const finish = (answer: Buffer) => {
      if (answers === 0) exchange.check(answer);
      answers += 1;
      before = null;
      if (performance.now() < end) send();
      else resolve(answers);
    };
    line.onRead = (part) => {
      try {
        const answer = before === null ? part : Buffer.concat([before, part]);
        const length = lengthOf(answer, exchange);
        if (length > 0 && answer.length >= length) finish(answer);
        // Copy it, because the next read overwrites the buffer.
        else before = before === null ? Buffer.from(answer) : answer;
      } catch (error) {
        reject(error);
      }
    };
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the server closed a connection')));
    send();
  });
}

const headEnd = Buffer.from('\r\n\r\n');

/** Length of the whole answer; 0 while its head or the checked start of its body is incomplete. */
function lengthOf(answer: Buffer, { head: goodHead, body }: Exchange): number {
  const bodyStart = answer.indexOf(headEnd) + headEnd.length;
  if (bodyStart < headEnd.length || answer.length < bodyStart + body.length) return 0;
  const head = answer.toString('latin1', 0, bodyStart);
  const length = body.length === 0 ? '0' : /\ncontent-length: *(\d+)/i.exec(head)?.[1];
  const good = head.startsWith(goodHead) && body.compare(answer, bodyStart, bodyStart + body.length) === 0;
  if (length === undefined || !good) throw new Error(`an unexpected answer:\n${answer.toString().slice(0, 2_000)}`);
  return bodyStart + Number(length);
}

/** Parses the JSON body of an answer. */
export function jsonOf(answer: Buffer): unknown {
  return JSON.parse(answer.toString('utf8', answer.indexOf(headEnd) + headEnd.length));
}

/** Turns a GraphQL load into HTTP requests with a key. */
export function exchangeOf({ body, check }: Load, key: string): Exchange {
  const head = `POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\nAccept: application/json\r\nContent-Length: `;
  return {
    request: () => {
      const text = body();
      return `${head}${Buffer.byteLength(text)}\r\n\r\n${text}`;
    },
    head: 'HTTP/1.1 200 ',
    body: Buffer.from('{"data":{'),
    check: (answer) => {
      const { data, errors }: { data?: unknown; errors?: unknown } = Object(jsonOf(answer));
      if (errors !== undefined) throw new Error(`an answer with errors: ${JSON.stringify(errors)}`);
      check(data);
    },
  };
}
