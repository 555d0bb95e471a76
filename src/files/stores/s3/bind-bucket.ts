import { newId } from '../../../database/ids.ts';
import { StoreUnavailableError } from '../errors.ts';
import type { S3Client } from './s3-client.ts';
import { isMissing, S3Error } from './s3-error.ts';

/** As on a disk: who copies a volume into a bucket copies it, too. */
const marker = '.longhaul-volume';
const advice = 'ARTIFACTS_URL must be the same for every process of an installation.';

/** How long the check of a bucket may take, in milliseconds. */
const checkMilliseconds = 30_000;

/**
 * Verifies that the bucket can be written to, read, listed and deleted from, and belongs to this installation, which a marker
 * object names. Who may claim makes it. See bindVolume.
 *
 * @throws Error that says what to change.
 */
export async function bindBucket(client: S3Client, prefix: string, installationId: string, { mayClaim }: { mayClaim: boolean }): Promise<void> {
  const signal = AbortSignal.timeout(checkMilliseconds);
  const body = Buffer.from(`${installationId}\n`);
  const key = `${marker}.${newId()}`;
  const attempt = async <Result>(what: string, act: () => Promise<Result>) => {
    try {
      return await act();
    } catch (error) {
      throw new Error(`${client.place} cannot be used: ${what} failed. ${remedyOf(error)}`, { cause: error });
    }
  };
  await attempt('writing an object (s3:PutObject)', () => client.call({ method: 'PUT', key, body }, signal));
  await attempt('listing objects (s3:ListBucket)', () => client.call({ method: 'GET', key: '', query: { 'list-type': '2', prefix: prefix + marker } }, signal));
  await attempt('deleting an object (s3:DeleteObject)', () => client.call({ method: 'DELETE', key }, signal));
  const read = () => attempt('reading an object (s3:GetObject)', () => ownerOf(client, signal));
  if (mayClaim && (await read()) === null) await attempt('writing an object (s3:PutObject)', () => client.call({ method: 'PUT', key: marker, body }, signal));
  const owner = await read();
  if (owner === null) {
    throw new Error(
      `${client.place} does not hold the files of this installation. ${advice} Name that bucket and prefix. If it moves here from a volume or ` +
        `another bucket, copy all files with their names, ${marker} too; if they are lost, write ${installationId} into an object ${marker} there.`,
    );
  }
  if (owner !== installationId) throw new Error(`${client.place} holds the files of another installation. ${advice} Choose another prefix.`);
}

async function ownerOf(client: S3Client, signal: AbortSignal): Promise<string | null> {
  try {
    const { body } = await client.call({ method: 'GET', key: marker }, signal);
    return body.trim();
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

function remedyOf(error: unknown): string {
  if (!(error instanceof S3Error)) return `It cannot be reached (${reasonOf(error)}). Check AWS_ENDPOINT_URL, AWS_REGION and ARTIFACTS_PATH_STYLE.`;
  switch (error.code) {
    case 'InvalidAccessKeyId':
      return 'It does not know AWS_ACCESS_KEY_ID. Set it to a key of that service.';
    case 'SignatureDoesNotMatch':
      return 'AWS_SECRET_ACCESS_KEY is not that of AWS_ACCESS_KEY_ID. Set both to those of one key.';
    case 'ExpiredToken':
    case 'InvalidToken':
      return 'AWS_SESSION_TOKEN is not valid, or not any more. Set it anew, with the two keys that came with it, or unset it for a lasting key.';
    case 'RequestTimeTooSkewed':
      return "This machine's clock is wrong. Let it take its time by NTP.";
    case 'NoSuchBucket':
      return 'There is no such bucket. Create it, or name another one in ARTIFACTS_URL.';
    case 'AccessDenied':
      return 'The key may not do that there. Give it the permissions that OPERATIONS.md lists.';
    default:
      return error.region === null ? `It says: ${error.message}` : `The bucket is in another region: set AWS_REGION=${error.region}.`;
  }
}

function reasonOf(error: unknown): string {
  const cause = error instanceof StoreUnavailableError ? error.cause : error;
  if (!(cause instanceof Error)) return 'unknown reason';
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
}
