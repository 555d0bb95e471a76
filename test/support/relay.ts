import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createClient } from 'graphql-ws';
import {
  type ConcreteRequest,
  Environment,
  type GraphQLResponse,
  Network,
  Observable,
  type ReaderFragment,
  RecordSource,
  Store,
} from 'relay-runtime';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';

/** relay-compiler's output for documents, as a frontend imports it. */
export interface RelayArtifacts {
  operation(name: string): ConcreteRequest;
  fragment(name: string): ReaderFragment;
}

const compiler = fileURLToPath(new URL('../../node_modules/relay-compiler/cli.js', import.meta.url));
const schema = fileURLToPath(new URL('../../schema/schema.graphql', import.meta.url));

/**
 * Compiles documents with relay-compiler against the printed schema. Throws its output if it rejects one.
 *
 * @param module name of the module that contains them; each document's name must start with it
 */
export async function compileRelay(module: string, documents: readonly string[]): Promise<RelayArtifacts> {
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-relay-'));
  const artifacts = new Map<string, ConcreteRequest | ReaderFragment>();
  try {
    await mkdir(join(folder, 'source'));
    await mkdir(join(folder, 'artifacts'));
    const source = documents.map((document) => `graphql\`${document}\`;\n`).join('');
    await writeFile(join(folder, 'source', `${module}.js`), source);
    await copyFile(schema, join(folder, 'schema.graphql'));
    const config = {
      src: './source',
      schema: './schema.graphql',
      artifactDirectory: './artifacts',
      language: 'javascript',
      // CommonJS, so that artifacts find each other by names without an extension.
      eagerEsModules: false,
    };
    await writeFile(join(folder, 'relay.config.json'), JSON.stringify(config));
    await promisify(execFile)(process.execPath, [compiler, 'relay.config.json'], { cwd: folder });
    const load = createRequire(join(folder, 'artifacts', 'index.js'));
    for (const file of await readdir(join(folder, 'artifacts'))) artifacts.set(file.replace('.graphql.js', ''), load(`./${file}`));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return {
    operation: (name) => {
      const artifact = artifacts.get(name);
      if (artifact?.kind !== 'Request') throw new Error(`there is no operation ${name}`);
      return artifact;
    },
    fragment: (name) => {
      const artifact = artifacts.get(name);
      if (artifact?.kind !== 'Fragment') throw new Error(`there is no fragment ${name}`);
      return artifact;
    },
  };
}

/** A Relay environment: fetch for queries and mutations, graphql-ws for subscriptions. Closed after the test. */
export function relayEnvironment(url: string, key: string): Environment {
  const endpoint = `${url}/graphql`;
  const headers = { authorization: `Bearer ${key}` };
  const sockets = createClient({
    url: endpoint.replace(/^http/, 'ws'),
    webSocketImpl: WebSocket,
    connectionParams: headers,
    retryAttempts: 0,
  });
  onTestFinished(async () => {
    await sockets.dispose();
  });
  return new Environment({
    store: new Store(new RecordSource()),
    network: Network.create(
      async ({ text }, variables): Promise<GraphQLResponse> => {
        const response = await fetch(endpoint, {
          method: 'POST',
          headers: { ...headers, accept: 'application/graphql-response+json', 'content-type': 'application/json' },
          body: JSON.stringify({ query: text, variables }),
        });
        return JSON.parse(await response.text());
      },
      ({ text }, variables) =>
        Observable.create<GraphQLResponse>((sink) =>
          sockets.subscribe(
            { query: text ?? '', variables },
            {
              next: ({ data, errors }) => {
                if (data == null) sink.error(new Error(`an event without data: ${JSON.stringify(errors)}`));
                else sink.next({ data });
              },
              error: (error) => sink.error(error instanceof Error ? error : new Error(String(error))),
              complete: () => sink.complete(),
            },
          ),
        ),
    ),
  });
}
