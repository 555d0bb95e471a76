/** What part of an answer may be passed on now, and whether it says that something was committed. */
interface Answer {
  answer: Buffer;
  commits: boolean;
}

const nothing = Buffer.alloc(0);

/** The end of an answer of Postgres: ReadyForQuery, and whether a transaction is open. */
const readyForQuery = Buffer.from([0x5a, 0, 0, 0, 5]);
const noTransaction = 'I'.charCodeAt(0);

const writes = /\b(COMMIT|INSERT INTO|UPDATE|DELETE FROM)\b/;

/**
 * Reads one connection to Postgres: which answers say that a write was committed. Those of a COMMIT, and of a statement that
 * writes and stands alone: https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export class CommitWatch {
  #sent = nothing;
  #received = nothing;
  #started = false;
  #writes = false;
  /** By the name of a prepared statement. */
  readonly #prepared = new Map<string, boolean>();

  asked(bytes: Buffer): void {
    this.#sent = Buffer.concat([this.#sent, bytes]);
    for (let message = this.#next(); message !== null; message = this.#next()) this.#read(message);
  }

  answered(bytes: Buffer): Answer {
    this.#received = Buffer.concat([this.#received, bytes]);
    const end = this.#received.subarray(-6);
    if (this.#writes && !end.subarray(0, 5).equals(readyForQuery)) return { answer: nothing, commits: false };
    const answer = this.#received;
    this.#received = nothing;
    return { answer, commits: this.#writes && end[5] === noTransaction };
  }

  /** The first message has no type. */
  #next(): { type: string; body: Buffer } | null {
    const head = this.#started ? 1 : 0;
    if (this.#sent.length < head + 4) return null;
    const end = head + this.#sent.readInt32BE(head);
    if (this.#sent.length < end) return null;
    const message = { type: this.#sent.toString('latin1', 0, head), body: this.#sent.subarray(head + 4, end) };
    this.#sent = this.#sent.subarray(end);
    this.#started = true;
    return message;
  }

  #read({ type, body }: { type: string; body: Buffer }): void {
    const [first = '', second = ''] = body.toString('latin1').split('\0', 2);
    if (type === 'Q') this.#writes = writes.test(first);
    else if (type === 'P') this.#prepared.set(first, writes.test(second));
    else if (type === 'B') this.#writes = this.#prepared.get(second) ?? false;
  }
}

/** Reads one connection to Redis: which answers may be that of a PUBLISH. */
export class PublishWatch {
  #publishes = false;

  asked(bytes: Buffer): void {
    this.#publishes = bytes.includes('publish');
  }

  answered(answer: Buffer): Answer {
    return { answer, commits: this.#publishes };
  }
}
