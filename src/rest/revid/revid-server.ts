import packageJson from '../../../package.json' with { type: 'json' };

/** What answers about a submission call it, whichever path it came by. */
export const submissionEndpoint = '/v1/media/transcribe';

/** What RevidAPI's answers say about the server, beside its process id. */
export const server = {
  /** One safe integer per server; there is one queue, and so it is the same in every process. */
  queueId: 1,
  /** `x.y.z`. */
  buildNumber: packageJson.version,
} as const;
