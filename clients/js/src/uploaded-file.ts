/** A file that the server has: it goes into an input as it is, or as its `reference`. */
export class UploadedFile {
  readonly id: string;

  constructor(id: string) {
    this.id = id;
  }

  /** As it stands in an input. */
  get reference(): string {
    return `upload:${this.id}`;
  }

  toJSON(): string {
    return this.reference;
  }
}

/** In bytes. */
export interface TransferProgress {
  done: number;
  total: number;
}

export interface FileOptions {
  /** Default: the file's own name, or `file`. */
  filename?: string | undefined;
  /** Default: the file's own. */
  mediaType?: string | undefined;
  onProgress?: ((progress: TransferProgress) => void) | undefined;
}
