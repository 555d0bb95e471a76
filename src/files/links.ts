import type { Secrets } from '../secrets.ts';
import { LinkSigner } from './link-signer.ts';

export interface ArtifactLinks {
  /** Returns the download URL. The same artifact and expiry always give the same URL. */
  sign(artifact: { id: string; expiresAt: Date }): string;
  /** Whether this id and expiry (as text in the URL) were signed here. The row decides whether the file has expired. */
  verify(id: string, expires: string, signature: string): boolean;
}

/** Signs and checks `<publicUrl>/artifacts/<id>?expires=<epoch seconds>&signature=<…>`. */
export function createArtifactLinks({ secrets, publicUrl }: { secrets: Secrets; publicUrl: () => string }): ArtifactLinks {
  const signer = new LinkSigner(secrets, 'longhaul artifact links');
  return {
    sign({ id, expiresAt }) {
      // Round down: the row has milliseconds, and the URL must not outlive it.
      const expires = String(Math.floor(expiresAt.getTime() / 1000));
      return `${publicUrl().replace(/\/+$/, '')}/artifacts/${id}?expires=${expires}&signature=${signer.sign(signedText(id, expires))}`;
    },
    verify: (id, expires, signature) => signer.verify(signedText(id, expires), signature),
  };
}

function signedText(id: string, expires: string): string {
  return `${id}\n${expires}`;
}
