import type { Client } from '../client.ts';
import { mutate } from '../mutate.ts';
import { insist } from '../tries.ts';

/** What a claim gives. */
export interface Lease {
  token: string;
  attempt: number;
  /** How long it lasts from each report on. */
  seconds: number;
  checkpoint: unknown;
  files: { reference: string; url: string; filename: string; mediaType: string; bytes: number; sha256: string }[];
  job: { id: string; type: string; input: unknown };
}

const failed = '... on UserError { code message } ... on ValidationError { issues { path message } }';

const documents = {
  claim: `mutation ($input: ClaimJobsInput!) { claimJobs(input: $input) { ... on ClaimJobsPayload { leases {
    token attempt seconds checkpoint files { reference url filename mediaType bytes sha256 } job { id type input } } } ${failed} } }`,
  report: `mutation ($input: ReportProgressInput!) { reportProgress(input: $input) { ... on ReportProgressPayload { expiresAt } ${failed} } }`,
  log: `mutation ($input: AppendLogsInput!) { appendLogs(input: $input) { ... on AppendLogsPayload { sequence } ${failed} } }`,
  complete: `mutation ($input: CompleteJobInput!) { completeJob(input: $input) { ... on CompleteJobPayload { job { id } } ${failed} } }`,
  fail: `mutation ($input: FailJobInput!) { failJob(input: $input) { ... on FailJobPayload { job { id } } ${failed} } }`,
  release: `mutation ($input: ReleaseJobInput!) { releaseJob(input: $input) { ... on ReleaseJobPayload { job { id } } ${failed} } }`,
} as const;

export const leaseLost = 'subscription ($workerId: String!) { leaseLost(workerId: $workerId) { token reason } }';

/** A worker's calls. Each may be sent again: the token says which attempt it is for. */
export class Calls {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  async claim(input: { types: readonly string[]; workerId: string; limit: number; waitSeconds: number }, signal: AbortSignal): Promise<Lease[]> {
    return (await mutate<{ leases: Lease[] }>(this.#client.http, documents.claim, input, signal)).leases;
  }

  /** Tries for as long as it takes: the server may be away, and the lease says when it is over. @throws LeaseLostError, ValidationError */
  async send(call: Exclude<keyof typeof documents, 'claim'>, input: object, signal: AbortSignal): Promise<void> {
    await insist(this.#client.http, documents[call], input, signal);
  }
}
