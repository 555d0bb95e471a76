import { LRUCache } from 'lru-cache';
import type { PreparedDocument } from './document.ts';

/** Limits of the cache in bytes: for the process, and for one key. */
const processBytes = 64 * 1024 * 1024;
const keyBytes = 16 * 1024 * 1024;

interface Remembered {
  document: PreparedDocument;
  /** The key that first added it. */
  apiKeyId: string;
}

/** Caches valid documents by text, so that each is parsed, validated and priced once. Bounded in bytes, also per key. */
export class RememberedDocuments {
  readonly #byText: LRUCache<string, Remembered>;
  /** The documents that each key added, oldest first, and their total size. */
  readonly #byKey = new Map<string, { texts: Set<string>; bytes: number }>();
  readonly #keyBytes: number;

  constructor(limits = { processBytes, keyBytes }) {
    this.#keyBytes = limits.keyBytes;
    this.#byText = new LRUCache({
      maxSize: limits.processBytes,
      sizeCalculation: ({ document }) => document.bytes,
      dispose: ({ document, apiKeyId }) => this.#release(document, apiKeyId),
    });
  }

  /** Total size of the cached documents. */
  get bytes(): number {
    return this.#byText.calculatedSize;
  }

  get(text: string): PreparedDocument | undefined {
    return this.#byText.get(text)?.document;
  }

  /** A key over its limit loses its oldest documents. */
  add(document: PreparedDocument, apiKeyId: string): void {
    if (document.bytes > this.#keyBytes || this.#byText.has(document.text)) return;
    const share = this.#byKey.get(apiKeyId) ?? { texts: new Set(), bytes: 0 };
    this.#byKey.set(apiKeyId, share);
    share.texts.add(document.text);
    share.bytes += document.bytes;
    this.#byText.set(document.text, { document, apiKeyId });
    for (const text of share.texts) {
      if (share.bytes <= this.#keyBytes) break;
      this.#byText.delete(text);
    }
  }

  #release({ text, bytes }: PreparedDocument, apiKeyId: string): void {
    const share = this.#byKey.get(apiKeyId);
    if (share === undefined) return;
    share.texts.delete(text);
    share.bytes -= bytes;
    if (share.texts.size === 0) this.#byKey.delete(apiKeyId);
  }
}
