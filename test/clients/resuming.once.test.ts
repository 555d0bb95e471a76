import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { cacheExchange, Client, fetchExchange, subscriptionExchange } from '@urql/core';
import { parse } from 'graphql';
import { Environment, Network, Observable, RecordSource, requestSubscription, Store } from 'relay-runtime';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { pipe, subscribe } from 'wonka';
import type { JobStatus } from '../graphql/generated/graphql.ts';
import { type Longhaul, sharedLonghaul, type TestWorkspace } from '../support/longhaul.ts';
import { compileRelay, type RelayArtifacts } from '../support/relay.ts';
import { quit, resumeLibrary } from '../support/resuming.ts';
import { submit } from '../support/steps.ts';

const progressDocument = `subscription WatchProgressSubscription($id: ID!, $afterVersion: Int) {
  jobProgress(id: $id, afterVersion: $afterVersion) { id version status }
}`;
const updatesDocument = `subscription WatchUpdatesSubscription($after: String) {
  jobUpdates(after: $after) { cursor job { id version status } }
}`;

interface Shown {
  version: number;
  status: JobStatus;
}
interface Event {
  jobProgress?: Shown;
  jobUpdates?: { job: Shown };
}
interface Variables {
  id?: string;
  after?: string;
}
type Token = () => Promise<string>;

/** One library's client, made by PROTOCOL.md's code. */
interface Watching {
  /** Cuts the connection; the client comes back by itself. */
  cut(): void;
  watch(of: 'progress' | 'updates', variables: Variables, onEvent: (event: Event) => void): { ended: Promise<void> };
}

let longhaul: Longhaul;
let workspace: TestWorkspace;
let key: string;
let artifacts: RelayArtifacts;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
  workspace = await longhaul.workspace();
  key = await workspace.key();
  artifacts = await compileRelay('Watch', [progressDocument, updatesDocument]);
});
afterAll(() => longhaul.stop());

const libraries = [
  { library: 'Apollo Client', open: openApollo },
  { library: 'urql', open: openUrql },
  { library: 'Relay', open: openRelay },
];

test.each(libraries)('P4: $library resumes a job after a break, and learns an end that it was away for', async ({ open }) => {
  const away = new Absence();
  const { cut, watch } = open(away.token);
  const job = await submit(longhaul, workspace.id);
  const seen: Shown[] = [];
  const first = Promise.withResolvers<void>();
  const { ended } = watch('progress', { id: job.id }, ({ jobProgress }) => {
    if (jobProgress !== undefined) seen.push(jobProgress);
    first.resolve();
  });
  await Promise.race([first.promise, ended]);

  await away.during(cut, async () => {
    await longhaul.services.jobs.cancel(workspace.id, job.id);
  });
  await ended;
  expect(seen.map(({ status }) => status)).toEqual(['PENDING', 'CANCELLED']);
});

test.each(libraries)('U4: $library resumes a workspace after a break, and learns of a job that it was away for', async ({ open }) => {
  const away = new Absence();
  const { cut, watch } = open(away.token);
  const seen: Shown[] = [];
  const { data } = await longhaul.graphql('{ jobUpdatesCursor }', {}, key);
  const after = String(data?.['jobUpdatesCursor']);
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  const { ended } = watch('updates', { after }, ({ jobUpdates }) => {
    if (jobUpdates !== undefined) seen.push(jobUpdates.job);
    (seen.length === 1 ? first : second).resolve();
  });
  const job = await submit(longhaul, workspace.id);
  await Promise.race([first.promise, ended]);

  await away.during(cut, async () => {
    await longhaul.services.jobs.cancel(workspace.id, job.id);
  });
  await Promise.race([second.promise, ended]);
  expect(seen.map(({ status }) => status)).toEqual(['PENDING', 'CANCELLED']);
});

/** Holds back the token, and so the client's next connection. */
class Absence {
  #over = Promise.resolve();
  #asked = Promise.withResolvers<void>();

  readonly token: Token = async () => {
    this.#asked.resolve();
    await this.#over;
    return key;
  };

  /** Cuts the connection, and lets the client come back when `work` is done. */
  async during(cut: () => void, work: () => Promise<void>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#over = promise;
    this.#asked = Promise.withResolvers();
    cut();
    await this.#asked.promise;
    await work();
    resolve();
  }
}

function openApollo(token: Token): Watching {
  const { client, apollo } = resumeLibrary<{ apollo: ApolloClient }>('@apollo/client', 'apollo', longhaul.url, token, {
    ApolloClient, ApolloLink, GraphQLWsLink, HttpLink, InMemoryCache,
  });
  onTestFinished(() => {
    apollo.stop();
    quit(client);
  });
  const documents = { progress: parse(progressDocument), updates: parse(updatesDocument) };
  return {
    cut: () => client.terminate(),
    watch: (of, variables, onEvent) => {
      const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
      apollo.subscribe<Event>({ query: documents[of], variables }).subscribe({
        next: ({ data, error }) => (data == null ? reject(error) : onEvent(data)),
        error: reject,
        complete: resolve,
      });
      return { ended };
    },
  };
}

function openUrql(token: Token): Watching {
  const { client, urql } = resumeLibrary<{ urql: Client }>('@urql/core', 'urql', longhaul.url, token, {
    cacheExchange, Client, fetchExchange, subscriptionExchange,
  });
  onTestFinished(() => quit(client));
  const documents = { progress: progressDocument, updates: updatesDocument };
  return {
    cut: () => client.terminate(),
    watch: (of, variables, onEvent) => {
      const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
      const watching = pipe(
        urql.subscription<Event>(documents[of], variables),
        subscribe(({ data, error, hasNext }) => {
          // urql repeats the last event when the subscription has ended.
          if (!hasNext) resolve();
          else if (data === undefined) reject(error);
          else onEvent(data);
        }),
      );
      onTestFinished(() => watching.unsubscribe());
      return { ended };
    },
  };
}

function openRelay(token: Token): Watching {
  const { client, relay } = resumeLibrary<{ relay: Environment }>('relay-runtime', 'relay', longhaul.url, token, {
    Environment, Network, Observable, RecordSource, Store,
  });
  onTestFinished(() => quit(client));
  const names = { progress: 'WatchProgressSubscription', updates: 'WatchUpdatesSubscription' };
  return {
    cut: () => client.terminate(),
    watch: (of, variables, onEvent) => {
      const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
      const watching = requestSubscription<{ variables: Variables; response: Event }>(relay, {
        subscription: artifacts.operation(names[of]),
        variables,
        onNext: (event) => event != null && onEvent(event),
        onError: reject,
        onCompleted: resolve,
      });
      onTestFinished(() => watching.dispose());
      return { ended };
    },
  };
}
