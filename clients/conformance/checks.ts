/** What a worker is judged by. `rule`: where PROTOCOL.md says it. */
interface Check {
  rule: string;
  /** What a worker does that passes. */
  means: string;
  /** An ability that a worker need not have: unless it is required, one that does without is not at fault. */
  optional: boolean;
}

const check = (rule: string, means: string): Check => ({ rule, means, optional: false });
const ability = (rule: string, means: string): Check => ({ rule, means, optional: true });

/** In the order of the rules, in which they are told. */
export const checks = {
  documents: check('C1', 'sends the key, and documents and values that the schema takes'),
  claims: check('C2', 'waits for work, or pauses between claims'),
  tokens: check('C3', 'carries to each job the token of its own lease'),
  attempts: check('C3', 'carries to another attempt at the same job the new token'),
  heartbeats: check('C4', 'renews the lease in time'),
  'lost-lease': check('C5', 'sends nothing with a token that was answered LEASE_LOST'),
  cancel: check('C5', 'stops working when a call is answered LEASE_LOST'),
  'lease-lost-event': ability('C5, L1', 'stops working when leaseLost says so'),
  'lost-answers': check('C6', 'sends the same end again when the answer was lost'),
  outages: check('C7', 'goes on after a server that was away'),
  'retry-after': check('C8', 'does not ask again before Retry-After'),
  failures: check('C9', 'says whether another attempt may help'),
  pauses: ability('C9', 'says how long to wait before another attempt'),
  checkpoints: ability('C10', 'saves checkpoints, and goes on from them'),
  files: ability('C11', 'reads a file of the input, also after a cut'),
  'file-bytes': ability('C11', 'checks what it has read by the SHA-256 of the lease'),
  key: ability('C11', 'sends the key to nobody but the server'),
  'stop-claiming': check('C12', 'claims nothing more after SIGTERM'),
  'hand-back': check('C12', 'finishes or releases what it holds after SIGTERM, and exits'),
  results: ability('R1 to R3, C7', 'sends result files, also after a cut and past trouble of the server, and names them when it completes'),
} as const satisfies Record<string, Check>;

export type CheckName = keyof typeof checks;

/** `unused`: the worker does without that ability. `unknown`: it could not be judged, as what comes before it failed. */
export type Verdict = 'pass' | 'fail' | 'unused' | 'unknown';

/** What was found about each check. Of several findings the worst counts. */
export class Verdicts {
  readonly #found = new Map<CheckName, { verdict: Verdict; seen: string }>();
  readonly #required: ReadonlySet<CheckName>;

  /** @param required abilities that the worker has to have */
  constructor(required: ReadonlySet<CheckName>) {
    this.#required = required;
  }

  pass(name: CheckName, seen: string): void {
    this.#add(name, 'pass', seen);
  }

  fail(name: CheckName, seen: string): void {
    this.#add(name, 'fail', seen);
  }

  unused(name: CheckName, seen: string): void {
    if (this.#required.has(name)) this.fail(name, `${seen}, and is required to`);
    else this.#add(name, 'unused', seen);
  }

  unknown(name: CheckName, seen: string): void {
    this.#add(name, 'unknown', seen);
  }

  verdict(name: CheckName): Verdict | null {
    return this.#found.get(name)?.verdict ?? null;
  }

  line(name: CheckName): string {
    const { verdict, seen } = this.#found.get(name) ?? { verdict: 'unknown', seen: 'it did not come to this' };
    const { rule, means } = checks[name];
    const words = { pass: 'pass', fail: 'FAIL', unused: 'not used', unknown: 'not judged' }[verdict];
    const told = verdict === 'fail' ? `${seen}. A worker ${means} (PROTOCOL.md, ${rule})` : `${means} (${rule}): ${seen}`;
    return `${words.padEnd(10)}  ${name.padEnd(16)}  ${told}`;
  }

  /** Whether the worker keeps the protocol, as far as these checks go. */
  good(names: readonly CheckName[]): boolean {
    return names.every((name) => ['pass', 'unused'].includes(this.verdict(name) ?? 'unknown'));
  }

  #add(name: CheckName, verdict: Verdict, seen: string): void {
    const worst: readonly Verdict[] = ['fail', 'unknown', 'pass', 'unused'];
    const before = this.#found.get(name);
    if (before === undefined || worst.indexOf(verdict) < worst.indexOf(before.verdict)) this.#found.set(name, { verdict, seen });
  }
}
