/** The file at a job's `sourceUrl`: once its headers were received and accepted, or the upload was found. */
export interface Source {
  /** As the job gives it: a URL, or `upload:ID`. */
  sourceUrl: string;
  filename: string;
  /** The type that the source declares, or `application/octet-stream`. */
  mediaType: string;
  /** The size in bytes; null if not declared. */
  total: number | null;
  /** What tells the file from any other one that the source may have later; null if nothing does. */
  validator: string | null;
  /** Where `bytes` begin: 0, or after what an earlier attempt has left. */
  from: number;
  /** The file's bytes. Reports progress. Throws a HandlerError if the file breaks off or exceeds the limit. */
  bytes: AsyncIterable<Uint8Array>;
  /** Closes the connection. Must always be called. May be called twice. */
  close(): void;
}
