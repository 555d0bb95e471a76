/** What the global ids of uploads begin with. */
export const globalPrefix = 'upload_';

const prefix = 'upload:';

/** As everywhere, a plain UUID is taken in either case. */
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The UUID of the upload that a text names, as `upload:` and its global id or its plain UUID; null if it is of another form. */
export function uploadNamed(text: string): string | null {
  if (!meansUpload(text)) return null;
  const id = text.slice(prefix.length);
  const plain = id.startsWith(globalPrefix) ? id.slice(globalPrefix.length) : id.toLowerCase();
  return uuid.test(plain) ? plain : null;
}

/** Whether a text is meant to name an upload, whether it does or not. */
export function meansUpload(text: string): boolean {
  return text.startsWith(prefix);
}

/** Whether a string in a JSON text may name an upload. */
export function mayNameUploads(json: string): boolean {
  return json.includes(`"${prefix}`);
}
