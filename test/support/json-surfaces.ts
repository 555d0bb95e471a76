import { WebSocket } from 'ws';
import { dialects } from '../../src/rest/dialects.ts';
import type { Dialect } from '../../src/workspaces/dialect.ts';
import type { Longhaul, TestWorkspace } from './longhaul.ts';
import { RawSocket } from './raw-socket.ts';
import { type RestRequest, rest } from './rest.ts';

/** How a surface reacted to some bytes. */
export interface Verdict {
  taken: boolean;
  /** The text of the answer, or why the socket was closed. */
  said: string;
}

/** A surface that accepts JSON. */
export interface Surface {
  name: string;
  /** A complete request with this text as the value of `snowflake`. */
  json(value: string): string;
  send(bytes: Buffer<ArrayBuffer>, contentType?: string): Promise<Verdict>;
}

const sourceUrl = 'https://example.com/video.mp4';

const creation = `mutation ($i: CreateJobInput!) {
  createJob(input: $i) { __typename ... on ValidationError { issues { path message } } }
}`;

const graphqlJson = (value: string) =>
  `{"query":${JSON.stringify(creation)},"variables":{"i":{"type":"comments","input":{"sourceUrl":"${sourceUrl}","snowflake":${value}}}}}`;

/** Every surface that accepts arbitrary JSON: GraphQL over all transports, and job submission in each dialect. */
export async function jsonSurfaces(longhaul: Longhaul, workspace: TestWorkspace): Promise<Surface[]> {
  const key = await workspace.key();
  const post = async (bytes: Buffer<ArrayBuffer>, headers: Record<string, string>): Promise<Verdict> => {
    const response = await fetch(`${longhaul.url}/graphql`, { method: 'POST', headers: { 'x-api-key': key, ...headers }, body: bytes });
    const said = await response.text();
    return { taken: said.includes('CreateJobPayload'), said };
  };
  return [
    {
      name: 'GraphQL by POST',
      json: graphqlJson,
      send: (bytes, contentType = 'application/json') => post(bytes, { 'content-type': contentType }),
    },
    {
      name: 'GraphQL by POST, answered with events',
      json: graphqlJson,
      send: (bytes, contentType = 'application/json') =>
        post(bytes, { 'content-type': contentType, accept: 'text/event-stream' }),
    },
    ...[false, true].map((binary) => ({
      name: `GraphQL in a ${binary ? 'binary' : 'text'} message of a socket`,
      json: (value: string) => `{"id":"1","type":"subscribe","payload":${graphqlJson(value)}}`,
      send: (bytes: Buffer) => overSocket(longhaul.url, key, bytes, binary),
    })),
    ...(await Promise.all(dialects.map(async ({ name, prefix }) => dialectSurface(name, longhaul.url + prefix, await workspace.key({ dialect: name }))))),
  ];
}

/** GraphQL by GET, with variables as JSON of which every byte is percent-encoded. */
export function graphqlGet(longhaul: Longhaul, key: string): Surface {
  const query = encodeURIComponent('query ($t: [String!]) { jobs(filter: { tags: $t }) { totalCount } }');
  return {
    name: 'GraphQL by GET',
    json: (value) => `{"t":["x"],"snowflake":${value}}`,
    send: async (bytes) => {
      const variables = bytes.toString('hex').replace(/../g, '%$&');
      const response = await fetch(`${longhaul.url}/graphql?query=${query}&variables=${variables}`, { headers: { 'x-api-key': key } });
      const said = await response.text();
      return { taken: said.includes('"totalCount"'), said };
    },
  };
}

/** How a client of each dialect submits a job with an extra field. */
const submissions: Record<Exclude<Dialect, 'NATIVE'>, { path: string; json: (value: string) => string }> = {
  VIDOCU: { path: '/v1/tools/voices/execute', json: (value) => `{"snowflake":${value}}` },
  VIDEOCONDUIT: { path: '/v1/comments', json: (value) => `{"url":"${sourceUrl}","snowflake":${value}}` },
  VYDRA: { path: '/api/v1/jobs', json: (value) => `{"workflow":"house-timelapse","input":{"snowflake":${value}}}` },
  REVID: { path: '/v1/media/transcribe', json: (value) => `{"media_url":"${sourceUrl}","snowflake":${value}}` },
};

function dialectSurface(name: Exclude<Dialect, 'NATIVE'>, base: string, key: string): Surface {
  const { path, json } = submissions[name];
  return {
    name,
    json,
    send: async (body, contentType = 'application/json') => {
      const asked: RestRequest = { body, headers: { 'content-type': contentType, 'x-api-key': key, authorization: `Bearer ${key}` } };
      const answer = await rest(base + path, asked);
      return { taken: answer.status === 202 || answer.status === 201, said: JSON.stringify(answer.body) };
    },
  };
}

async function overSocket(url: string, key: string, bytes: Buffer, binary: boolean): Promise<Verdict> {
  const socket = await RawSocket.open(url, key);
  socket.ws.send(bytes, { binary });
  const ended = socket.end('1').then(() => null, () => null);
  const code = await Promise.race([socket.closed, ended]);
  if (socket.ws.readyState === WebSocket.OPEN) socket.ws.close();
  const said = [...socket.texts, ...(code === null ? [] : [`closed with ${code}`])].join('\n');
  return { taken: said.includes('CreateJobPayload'), said };
}
