/** Where a bucket is, and who asks for it. */
export interface S3Settings {
  bucket: string;
  /** Before all keys: empty, or with a slash at its end. */
  prefix: string;
  /** The service, without the bucket; null for Amazon's. */
  endpoint: string | null;
  region: string;
  /** Whether the bucket stands in the path, not in the host name. */
  pathStyle: boolean;
  accessKeyId: string;
  secretAccessKey: string;
  /** Of temporary credentials; null of lasting ones. */
  sessionToken: string | null;
  /** Of each part of a large file, but the last: 5 MiB at least, for most services. Larger where the file needs it. */
  partBytes: number;
  /** Whether downloads are redirected to the bucket. */
  redirects: boolean;
}

/** The bucket, without a slash at its end: s3rver counts that as part of what is signed. */
export function bucketUrl({ bucket, endpoint, region, pathStyle }: S3Settings): URL {
  const url = new URL(endpoint ?? `https://s3.${region}.amazonaws.com`);
  const path = url.pathname.replace(/\/*$/, '');
  if (!pathStyle) url.hostname = `${bucket}.${url.hostname}`;
  url.pathname = pathStyle ? `${path}/${bucket}` : path;
  return url;
}
