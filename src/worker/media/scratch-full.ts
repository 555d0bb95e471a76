/** A file in progress could not be written, because SCRATCH_DIR is full or read-only. The store of the files may have room. */
export class ScratchFullError extends Error {
  constructor(cause: unknown) {
    super('SCRATCH_DIR is full or read-only.', { cause });
    this.name = 'ScratchFullError';
  }
}
