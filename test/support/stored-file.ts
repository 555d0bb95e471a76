import { Readable } from 'node:stream';
import type { NamedFile } from '../../src/files/named-file.ts';
import type { Tenant } from './domain.ts';
import type { Longhaul } from './longhaul.ts';

const never = new AbortController().signal;

interface Content {
  name: string;
  filename: string;
  mediaType: string;
  content: string | Uint8Array;
}

/** Stores a small file as a built-in handler does, for a completion to name. */
export async function storedFile(
  { services }: Longhaul,
  workspaceId: string,
  { name = 'file', filename = 'film.mp4', mediaType = 'video/mp4', content = 'a film' }: Partial<Content> = {},
): Promise<NamedFile> {
  const about = { workspaceId, filename, mediaType, maxBytes: Buffer.from(content).length, signal: never };
  return { name, file: await services.artifacts.save(Readable.from([Buffer.from(content)]), about) };
}

/** The link to the file of a job that has completed. */
export async function linkToFile(longhaul: Longhaul, tenant: Tenant, content: Partial<Content> = {}): Promise<string> {
  // First: a sweep leaves files alone that a running attempt may name.
  const { token } = await tenant.running();
  const artifact = await storedFile(longhaul, tenant.id, content);
  const { artifactExpiresAt } = await tenant.complete(token, {}, [artifact]);
  if (artifactExpiresAt === null) throw new Error('the job has no file');
  return longhaul.services.links.sign({ id: artifact.file.id, expiresAt: artifactExpiresAt });
}
