/*
 * The least that a server can do for watchers: `ws`, the handshake of graphql-transport-ws, and one send per socket. It makes
 * the versions itself, on a timer. It has no keys, database, Redis, limits or pings. `POST /broadcast` sets what to send, and
 * how often.
 */
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { type WebSocket, WebSocketServer } from 'ws';
import { pace } from './pace.ts';
import { stampedMessage } from './stamps.ts';

/** The body of `POST /broadcast`. */
export interface Broadcasting {
  /** A payload that Longhaul sent. It is sent with a new version, time and message each time. */
  payload: string;
  /** Versions per second; 0 stops. */
  rate: number;
  /** `own` sends each its subscriber's id, as the protocol requires; `same` sends one text to all. */
  ids: 'own' | 'same';
}

interface Payload {
  data: { jobProgress: { version: number; updatedAt: string; progress: { message: string } } };
}

/** The text before the payload, per subscriber. */
const heads = new Map<WebSocket, string>();
let snapshot = '{"data":{}}';
let broadcasting = new AbortController();

const server = createServer(async (request, response) => {
  broadcast(JSON.parse(await text(request)));
  response.end();
});

const sockets = new WebSocketServer({ server, handleProtocols: () => 'graphql-transport-ws' });
sockets.on('connection', (socket) => {
  socket.on('message', (data) => {
    const message: { type: string; id?: string } = JSON.parse(String(data));
    if (message.type === 'connection_init') socket.send('{"type":"connection_ack"}');
    if (message.type !== 'subscribe') return;
    const head = `{"id":${JSON.stringify(message.id)},"type":"next","payload":`;
    heads.set(socket, head);
    socket.send(`${head}${snapshot}}`);
  });
  socket.on('error', () => socket.terminate());
  socket.on('close', () => heads.delete(socket));
});

function broadcast({ payload, rate, ids }: Broadcasting): void {
  broadcasting.abort();
  broadcasting = new AbortController();
  snapshot = payload;
  const body: Payload = JSON.parse(payload);
  const { jobProgress } = body.data;
  const next = (number: number) => {
    jobProgress.version += 1;
    jobProgress.updatedAt = new Date().toISOString();
    jobProgress.progress.message = stampedMessage(number);
    const version = JSON.stringify(body);
    const [same] = heads.values();
    for (const [socket, head] of heads) socket.send(`${ids === 'own' ? head : same}${version}}`);
  };
  if (rate !== 0) void pace(rate, next, broadcasting.signal);
}

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}` })}\n`);
});
process.once('SIGTERM', () => process.exit());
