import type { Secrets } from '../../secrets.ts';
import { LinkSigner } from '../link-signer.ts';

/**
 * Signs and checks `<publicUrl>/uploads/<id>?signature=<…>`: whoever has it can send this one file. It ends with the upload's row.
 */
export class UploadLinks {
  readonly #signer: LinkSigner;
  readonly #publicUrl: () => string;

  constructor({ secrets, publicUrl }: { secrets: Secrets; publicUrl: () => string }) {
    this.#signer = new LinkSigner(secrets, 'longhaul upload links');
    this.#publicUrl = publicUrl;
  }

  /** The same upload always has the same URL. */
  sign(id: string): string {
    return `${this.#publicUrl().replace(/\/+$/, '')}/uploads/${id}?signature=${this.#signer.sign(id)}`;
  }

  verify(id: string, signature: string): boolean {
    return this.#signer.verify(id, signature);
  }
}
