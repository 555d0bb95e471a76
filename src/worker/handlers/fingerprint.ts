import { createHash } from 'node:crypto';

import { fileTypeFromBuffer } from 'file-type';

import type { Handler } from '../handler.ts';
import { openSource } from './source.ts';

/** How many bytes file-type reads by default. */
const headBytes = 4100;

/** Hashes the file at `input.sourceUrl` without storing it. Refuses files over `maxBytes`. */
export function createFingerprintHandler({ maxBytes }: { maxBytes: number }): Handler {
  return async (attempt) => {
    const source = await openSource(attempt, { maxBytes });
    try {
      const hash = createHash('sha256');
      let head = Buffer.alloc(0);
      let bytes = 0;
      for await (const chunk of source.bytes) {
        hash.update(chunk);
        bytes += chunk.byteLength;
        if (head.byteLength < headBytes) head = Buffer.concat([head, chunk]).subarray(0, headBytes);
      }
      return { output: { sha256: hash.digest('hex'), bytes, mediaType: await sniff(head) } };
    } finally {
      source.close();
    }
  };
}

/** Detects the media type from the content. The type that the source declares is not trusted. */
async function sniff(head: Uint8Array): Promise<string> {
  const type = await fileTypeFromBuffer(head);
  return type?.mime ?? 'application/octet-stream';
}
