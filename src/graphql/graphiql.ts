import { renderGraphiQL } from '@graphql-yoga/render-graphiql';
import type { FastifyRequest } from 'fastify';

const createJob = `# Put a key into the headers below, then run this.
# The built-in worker carries the job out.
mutation CreateJob {
  createJob(
    input: {
      type: "download"
      input: { sourceUrl: "https://nodejs.org/dist/index.json" }
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

// The key is empty rather than an example: without a key the server answers with the schema, with a wrong one it does not.
const headers = JSON.stringify({ 'x-api-key': '' }, null, 2);

/** Three examples, and a header in which to enter the key. */
const options: Parameters<typeof renderGraphiQL>[0] = {
  title: 'Longhaul',
  headers,
  defaultHeaders: headers,
  shouldPersistHeaders: true,
  subscriptionsProtocol: 'GRAPHQL_SSE',
  defaultTabs: [
    { query: createJob, headers },
    { query: watchJob, headers, variables: JSON.stringify({ id: 'job_…' }, null, 2) },
    { query: listJobs, headers },
  ],
};

/** Whether a browser is opening /graphql as a page. */
export function isPageRequest(request: FastifyRequest): boolean {
  return request.method === 'GET' && request.headers.accept?.includes('text/html') === true;
}

/** Renders the page. All its assets come from this server, because a self-hosted product must not depend on a CDN. */
export function renderPage(): string {
  return renderGraphiQL(options);
}
