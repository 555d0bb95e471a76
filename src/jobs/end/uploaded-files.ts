import { z } from 'zod';
import { mainName } from '../../files/artifact-entity.ts';
import { isFitName } from '../../files/fit-name.ts';
import { mostFiles, type NamedFile } from '../../files/named-file.ts';
import type { Upload } from '../../files/uploads/upload.ts';
import type { FieldIssue } from '../../errors.ts';
import { expecting } from '../../input.ts';

/** An upload that becomes a file of the job. */
export interface ResultUpload {
  /** A UUID; what is none is no upload's. */
  uploadId: string;
  /** 1 to 100 characters, as in the name of a file, unique in the job; `file` where not given. */
  name?: string | null | undefined;
}

const nameError = expecting('a name without a path, of 1 to 100 characters, none of which is invisible and changes lines or directions');

/** An upload with its name in the job. */
type Named = Required<ResultUpload> & { name: string };

/** Checks the uploads that a completion names, and gives each its name. */
export const resultUploads = z
  .array(z.object({ uploadId: z.string(), name: z.string({ error: nameError }).refine((name) => isFitName(name, 100), { error: nameError }).nullish() }))
  .max(mostFiles)
  .transform((named) => named.map(({ uploadId, name }): Named => ({ uploadId, name: name ?? mainName })))
  .superRefine((named, { addIssue }) => {
    for (const [place, { uploadId, name }] of named.entries()) {
      const before = named.slice(0, place);
      const issue = (field: string, message: string) => addIssue({ code: 'custom', path: [place, field], message });
      if (before.some((each) => each.uploadId === uploadId)) issue('uploadId', 'is named twice; name each upload once');
      if (before.some((each) => each.name === name)) issue('name', `is ${JSON.stringify(name)} once more; give each file a name of its own`);
    }
  });

/** The files that the uploads become, or why they cannot. */
export function filesOf(named: readonly Named[], uploads: readonly Upload[]): { files: NamedFile[]; issues: FieldIssue[] } {
  const files: NamedFile[] = [];
  const issues: FieldIssue[] = [];
  for (const [place, { uploadId, name }] of named.entries()) {
    const upload = uploads.find(({ id }) => id === uploadId);
    const refuse = (message: string) => issues.push({ path: ['artifacts', String(place), 'uploadId'], message });
    if (upload === undefined) {
      refuse("is no upload of this attempt: make it by createUpload, with this lease's token");
    } else if (upload.sha256 === null) {
      refuse(`is not complete: the server has ${upload.receivedBytes} bytes of it. Send the rest to its uploadUrl, then complete the job again`);
    } else {
      const { id, workspaceId, filename, mediaType, receivedBytes: bytes, sha256 } = upload;
      files.push({ name, file: { id, workspaceId, filename, mediaType, bytes, sha256 } });
    }
  }
  return { files, issues };
}
