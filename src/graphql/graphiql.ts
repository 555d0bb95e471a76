import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { sendPage } from '../web/page.ts';
import type { PageFile } from '../web/compressed-files.ts';
import { StaticFiles } from '../web/static-files.ts';

const createJob = `# Put a key into the headers below, then run this. Who is signed in at the page (/) needs none.
# The built-in worker carries the job out, in ten seconds; it needs no network.
mutation CreateJob {
  createJob(
    input: {
      type: "demo"
      input: { seconds: 10, file: "image" }
    }
  ) {
    __typename
    ... on CreateJobPayload {
      job {
        id
        uuid
        status
        creditsCharged
      }
    }
    ... on ValidationError {
      issues {
        path
        message
      }
    }
    ... on UserError {
      code
      message
    }
  }
}
`;

const watchJob = `# Give the id of a job as a variable.
# The subscription ends with the job.
subscription WatchJob($id: ID!) {
  jobProgress(id: $id) {
    id
    version
    status
    progress {
      step
      message
      percentage
    }
    downloadUrl
    error {
      code
      message
    }
  }
}
`;

const listJobs = `query Jobs($after: String) {
  workspace {
    name
    credits
  }
  jobs(first: 10, after: $after) {
    totalCount
    pageInfo {
      hasNextPage
      endCursor
    }
    edges {
      node {
        id
        type
        status
        createdAt
        attempts {
          number
          workerId
          error {
            code
          }
        }
      }
    }
  }
}
`;

// The key is empty rather than an example: an empty one is none, so that the session of the page counts, and who has neither gets the schema.
const headers = JSON.stringify({ 'x-api-key': '' }, null, 2);

/** Three examples, and a header in which to enter the key. */
const options = {
  title: 'Longhaul',
  headers,
  defaultHeaders: headers,
  // Browsers keep what is persisted, where any script of this origin reads it: a key must not be.
  shouldPersistHeaders: false,
  subscriptionsProtocol: 'GRAPHQL_SSE',
  defaultTabs: [
    { query: createJob, headers },
    { query: watchJob, headers, variables: JSON.stringify({ id: 'job_…' }, null, 2) },
    { query: listJobs, headers },
  ],
};

// Earlier versions did persist it.
const start = `const { editor, json, graphql } = document.currentScript.dataset;
const workers = { editorWorkerService: editor, json, graphql };
self.MonacoEnvironment = { globalAPI: false, getWorkerUrl: (_module, label) => new URL(workers[label], location.href).href };
const shown = localStorage.getItem('graphiql:shouldPersistHeaders');
if (shown !== null) for (const name of Object.keys(localStorage)) if (name.startsWith('graphiql:')) localStorage.removeItem(name);
addEventListener('DOMContentLoaded', () => YogaGraphiQL.renderYogaGraphiQL(document.querySelector('#root'), ${JSON.stringify(options)}));
`;

const page = (paths: Readonly<Record<string, string>>) => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Longhaul</title>
    <link rel="stylesheet" href="graphql/${paths['graphiql.css']}">
    <link rel="icon" href="data:,">
    <script src="graphql/${paths['start.js']}" data-editor="graphql/${paths['editor.js']}" data-json="graphql/${paths['json.js']}" data-graphql="graphql/${paths['graphql.js']}"></script>
    <script defer src="graphql/${paths['graphiql.js']}"></script>
  </head>
  <body id="body" class="no-focus-outline">
    <noscript>GraphiQL needs JavaScript.</noscript>
    <div id="root"></div>
  </body>
</html>
`;

/** Yoga's build of GraphiQL, the only one with its editor, its workers and event streams in it. A page of its own would be 9 MB. */
const parts = () => import('@graphql-yoga/render-graphiql/graphiql');

const files: PageFile[] = [
  { name: 'graphiql.css', read: async () => (await parts()).css },
  { name: 'graphiql.js', read: async () => (await parts()).js },
  { name: 'editor.js', read: async () => (await parts()).editorWorkerService },
  { name: 'json.js', read: async () => (await parts()).jsonWorker },
  { name: 'graphql.js', read: async () => (await parts()).graphqlWorker },
  { name: 'start.js', read: async () => start },
];

/** GraphiQL at /graphql, for browsers, with its files beside it. All of it comes from this server: it works offline. */
export class GraphiQL {
  readonly #files = new StaticFiles(files);

  mount(app: FastifyInstance): void {
    this.#files.mount(app, '/graphql');
  }

  async send(reply: FastifyReply): Promise<FastifyReply> {
    return sendPage(reply, page(await this.#files.paths()));
  }
}

/** Whether a browser is opening /graphql as a page. */
export function isPageRequest(request: FastifyRequest): boolean {
  return request.method !== 'POST' && request.headers.accept?.includes('text/html') === true;
}
