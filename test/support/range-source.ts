import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import { onTestFinished } from 'vitest';

/** A source of one file that sends ranges of it, as RFC 9110 says. Closed after the test. */
export interface RangeSource {
  url: string;
  /** The range and the If-Range of each request; undefined where there was none. */
  asked: { range: string | undefined; ifRange: string | undefined }[];
  /** What it has, from now on. */
  file: SourceFile;
  /** Cuts the answer that stopped in the middle. */
  breakOff(): void;
  /** Sends another hundred bytes of it. */
  trickle(): void;
}

export interface SourceFile {
  content: Buffer;
  headers: OutgoingHttpHeaders;
  /** Bytes of the body after which it stops; all of it where not given. */
  stopsAfter?: number;
  /** How it differs from what the RFC says. */
  quirk?: 'ignores If-Range' | 'ignores Range' | 'answers 416' | 'sends another range' | 'says no length';
}

export async function openRangeSource(file: SourceFile): Promise<RangeSource> {
  const asked: RangeSource['asked'] = [];
  const source: RangeSource = { url: '', asked, file, breakOff: () => undefined, trickle: () => undefined };
  const server = createServer(({ headers }, response) => {
    asked.push({ range: headers.range, ifRange: oneOf(headers['if-range']) });
    const { content, headers: about, stopsAfter, quirk } = source.file;
    const first = rangeFor(source.file, headers);
    if (quirk === 'answers 416' && headers.range !== undefined) {
      response.writeHead(416, { 'content-range': `bytes */${content.length}` }).end();
      return;
    }
    const body = content.subarray(first ?? 0);
    const length = quirk === 'says no length' ? {} : { 'content-length': body.length };
    if (first === null) response.writeHead(200, { 'content-type': 'video/mp4', ...length, ...about });
    else response.writeHead(206, { 'content-range': `bytes ${first}-${content.length - 1}/${content.length}`, ...length, ...about });
    if (stopsAfter === undefined) return void response.end(body);
    let sent = stopsAfter;
    response.write(body.subarray(0, sent));
    source.breakOff = () => void response.destroy();
    source.trickle = () => {
      response.write(body.subarray(sent, sent + 100));
      sent += 100;
    };
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  source.url = `http://localhost:${typeof address === 'object' ? address?.port : ''}/clips/holiday.mp4`;
  return source;
}

/** Where the range begins that it answers with; null for all. */
function rangeFor({ content, headers, quirk }: SourceFile, { range, 'if-range': ifRange }: IncomingHttpHeaders): number | null {
  const first = /^bytes=(\d+)-$/.exec(range ?? '')?.[1];
  if (first === undefined || quirk === 'ignores Range') return null;
  const isSame = [headers['etag'], headers['last-modified']].includes(oneOf(ifRange));
  if (!isSame && quirk !== 'ignores If-Range') return null;
  const from = quirk === 'sends another range' ? Number(first) + 1 : Number(first);
  return from < content.length ? from : null;
}

function oneOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
