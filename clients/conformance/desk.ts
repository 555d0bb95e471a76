import { randomUUID } from 'node:crypto';
import { Assignment, type Call, type Job } from './assignment.ts';
import { type Purpose, Refused, type Trouble } from './trouble.ts';

/** How long a claim is held, in milliseconds: less than workers ask for, so that what they have room for is seen soon. */
const heldMilliseconds = 1_000;

interface Claim {
  types: readonly string[];
  workerId: string;
  limit?: number | null;
  waitSeconds?: number | null;
}

interface WaitingClaim {
  types: readonly string[];
  limit: number;
  give(assignments: Assignment[]): void;
}

/** Where the worker's calls arrive: what is offered, claimed and told. */
export class Desk {
  /** Of all leases, in order; `at` in milliseconds by performance.now(). */
  readonly calls: Call[] = [];
  /** What the schema, or a value's bounds, do not take. */
  readonly faults: string[] = [];
  /** Job types that were claimed. */
  readonly types = new Set<string>();
  /** Whether claims that do not wait are answered at once, as the server does. Else they are held as all are, and so all of a worker's are seen together. */
  isPrompt = false;
  readonly #type: string;
  readonly #waiting = new Set<WaitingClaim>();
  readonly #offers: Assignment[] = [];
  readonly #leases = new Map<string, Assignment>();
  readonly #troubles: { purpose: Purpose; trouble: Trouble }[] = [];
  readonly #looking = new Set<() => void>();

  /** @param type of the jobs that are offered */
  constructor(type: string) {
    this.#type = type;
  }

  /** Jobs that the claims which wait now have room for. */
  get room(): number {
    return [...this.#waiting].reduce((sum, { limit }) => sum + limit, 0);
  }

  get waitingClaims(): number {
    return this.#waiting.size;
  }

  /** Offers a job to whoever claims next. @param seconds of its lease */
  offer(input: Record<string, unknown>, seconds: number, more: Partial<Pick<Job, 'id' | 'attempt' | 'checkpoint' | 'files'>> = {}): Assignment {
    const job = { id: randomUUID(), attempt: 1, checkpoint: null, files: [], ...more, type: this.#type, input };
    const assignment = new Assignment(job, seconds);
    this.#leases.set(assignment.token, assignment);
    this.#offers.push(assignment);
    this.#hand();
    return assignment;
  }

  /** Takes back what nobody has claimed. */
  withdraw(): void {
    this.#offers.length = 0;
  }

  /** The next call for this gets into trouble. */
  trouble(purpose: Purpose, trouble: Trouble): void {
    this.#troubles.push({ purpose, trouble });
  }

  clearTroubles(): void {
    this.#troubles.length = 0;
  }

  lease(token: string): Assignment | undefined {
    return this.#leases.get(token);
  }

  /** Notes a call. @returns the call, with the trouble that it gets into */
  note(field: string, purpose: Purpose, input: object): Call {
    const at = this.#troubles.findIndex((one) => one.purpose === purpose);
    const [planned] = at < 0 ? [] : this.#troubles.splice(at, 1);
    const token = 'token' in input && typeof input.token === 'string' ? input.token : null;
    const call: Call = { field, purpose, token, input: { ...input }, at: performance.now(), trouble: planned?.trouble ?? null, lost: false };
    this.calls.push(call);
    this.look();
    if (call.trouble !== null && call.trouble.kind !== 'cut') throw new Refused(call.trouble);
    return call;
  }

  /** Holds the claim until there is work. @param gone aborted when the worker has broken it off */
  claim({ types, limit, waitSeconds }: Claim, gone: AbortSignal): Promise<Assignment[]> {
    for (const type of types) this.types.add(type);
    return new Promise((resolve) => {
      const give = (assignments: Assignment[]) => {
        clearTimeout(timer);
        this.#waiting.delete(claim);
        gone.removeEventListener('abort', none);
        for (const one of assignments) one.begin();
        resolve(assignments);
        this.look();
      };
      const none = () => give([]);
      const claim: WaitingClaim = { types, limit: limit ?? 1, give };
      const timer = setTimeout(none, this.isPrompt ? Math.min((waitSeconds ?? 0) * 1_000, heldMilliseconds) : heldMilliseconds);
      gone.addEventListener('abort', none);
      this.#waiting.add(claim);
      this.#hand();
      this.look();
    });
  }

  /** Answers all claims that wait: there is no work. */
  answerClaims(): void {
    for (const { give } of this.#waiting) give([]);
  }

  /** Resolves to true as soon as it holds, to false when it does not after so many milliseconds. */
  until(holds: () => boolean, milliseconds: number): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (held: boolean) => {
        clearTimeout(timer);
        this.#looking.delete(look);
        resolve(held);
      };
      const look = () => {
        if (holds()) end(true);
      };
      const timer = setTimeout(() => end(holds()), milliseconds);
      this.#looking.add(look);
      look();
    });
  }

  /** Whoever waits for something looks again. */
  look(): void {
    for (const look of this.#looking) look();
  }

  #hand(): void {
    for (const claim of this.#waiting) {
      if (this.#offers.length === 0) return;
      if (claim.types.includes(this.#type)) claim.give(this.#offers.splice(0, claim.limit));
    }
  }
}
