import { LRUCache } from 'lru-cache';
import type { Repeat, WireAnswer } from '../http/repeated-line.ts';
import { Batches } from '../jobs/batches.ts';
import type { Found } from '../jobs/job-reads.ts';
import type { Verdict } from '../rate-limit/rate-limiter.ts';
import type { Services } from '../services.ts';
import { hashSecret } from '../workspaces/api-key.ts';
import { isInForce, viewerOf } from '../workspaces/authenticate.ts';
import type { Viewer } from '../workspaces/viewer.ts';
import type { Answer } from './answer.ts';
import type { Call, Polled } from './call.ts';
import { secretOf } from './caller.ts';
import type { RefusedRequest, RestDialect } from './dialect.ts';
import { isKnown } from './etag.ts';
import { show, showNow } from './job-status.ts';
import type { Notices } from './notices.ts';
import { rateLimitHeaders, refuseTooMany } from './rate-limit.ts';
import { refusalOf } from './refusal.ts';
import { refusalAnswer } from './refusal-answer.ts';
import { isOutdated, type ShownJob, type ShownJobs } from './shown-jobs.ts';
import { wireHeaders, wireOf } from './wire.ts';

/** A key in a dialect: the same object for all polls that come with it. */
interface Caller {
  dialect: RestDialect;
  keyHash: string;
}

/** A poll that was answered once: nothing is wrong with it but what time may have changed. */
interface Poll extends Polled {
  caller: Caller;
  request: RefusedRequest;
  ifNoneMatch: string | undefined;
}

/** A poll whose key is good, and whose job was shown before. */
interface Asked {
  place: number;
  poll: Poll;
  viewer: Viewer;
  shown: ShownJob;
}

/**
 * Carries out polls that come again byte by byte. Those that arrive together share one look at each key, one command to
 * Redis, and one statement, which finds the jobs that are no longer as they were shown.
 */
export class RepeatedPolls {
  readonly #services: Services;
  readonly #shown: ShownJobs;
  readonly #notices: Notices;
  readonly #callers = new LRUCache<string, Caller>({ max: 10_000 });
  readonly #batches = new Batches((polls: readonly Poll[]) => this.#answer(polls), { lanes: 2, size: 500, turns: 10 });

  constructor(services: Services, shown: ShownJobs, notices: Notices) {
    this.#services = services;
    this.#shown = shown;
    this.#notices = notices;
  }

  /** How to carry out again what was answered; null for a poll of another kind. */
  repeatOf({ dialect, route, request, viewer, polled }: Call): Repeat['carryOut'] | null {
    const { headers } = request;
    const secret = secretOf(dialect, headers);
    // What a token opens is a question of the whole job.
    if (polled === null || secret === null || viewer.restriction !== null) return null;
    const poll: Poll = {
      ...polled,
      caller: this.#callerOf(dialect, hashSecret(secret)),
      // What refusals look at, and not the request itself, which would keep its connection.
      request: { headers: { authorization: headers.authorization }, body: undefined, call: { route } },
      ifNoneMatch: headers['if-none-match'],
    };
    return (then) => void this.#batches.add(poll).then(then, () => then(null));
  }

  #callerOf(dialect: RestDialect, keyHash: string): Caller {
    const name = `${dialect.name} ${keyHash}`;
    const known = this.#callers.get(name);
    if (known !== undefined) return known;
    const caller = { dialect, keyHash };
    this.#callers.set(name, caller);
    return caller;
  }

  /** Null for those that go the long way: they are not counted here. */
  async #answer(polls: readonly Poll[]): Promise<(WireAnswer | null)[]> {
    const { rateLimiter, jobs } = this.#services;
    const viewers = await this.#viewersOf(new Set(polls.map(({ caller }) => caller)));
    const asked = this.#asked(polls, viewers);
    const shown = [...new Set(asked.map((each) => each.shown))];
    // At the same time: neither needs the other.
    const [verdicts, found] = await Promise.all([
      rateLimiter.consumeAll(asked.map(({ viewer }) => viewer)),
      jobs.findChanged(shown).catch((error: unknown) => shown.map(() => asError(error))),
    ]);
    const at = new Date();
    const news = new Map(shown.map((job, place) => [job, isOutdated(job, at) ? undefined : found[place]]));
    const answers = polls.map((poll): WireAnswer | Promise<WireAnswer> | null => {
      const viewer = viewers.get(poll.caller);
      return viewer instanceof Error ? this.#refuse(poll, viewer, null) : null;
    });
    for (const [index, each] of asked.entries()) {
      const verdict = verdicts[index] ?? null;
      const its = news.get(each.shown);
      const asBefore = its === 'unchanged' && verdict?.allowed !== false;
      answers[each.place] = asBefore ? this.#render(each.poll, each.shown, verdict) : this.#answerAnew(each, verdict, its);
    }
    return Promise.all(answers);
  }

  #asked(polls: readonly Poll[], viewers: ReadonlyMap<Caller, Viewer | Error>): Asked[] {
    const asked: Asked[] = [];
    for (const [place, poll] of polls.entries()) {
      const viewer = viewers.get(poll.caller);
      if (viewer === undefined || viewer instanceof Error) continue;
      const shown = this.#shown.get(poll.caller.dialect, poll.jobId);
      if (shown?.workspaceId === viewer.workspaceId) asked.push({ place, poll, viewer, shown });
    }
    return asked;
  }

  /** Of those whose key is still good for a look; an error where nobody can tell just now. */
  async #viewersOf(callers: ReadonlySet<Caller>): Promise<Map<Caller, Viewer | Error>> {
    const viewers = new Map<Caller, Viewer | Error>();
    const find = async (caller: Caller) => {
      const key = await this.#services.authenticator.findByHash(caller.keyHash).catch(asError);
      if (key instanceof Error) viewers.set(caller, key);
      else if (key !== null && isInForce(key, caller.dialect.name) && key.scopes.includes('READ')) viewers.set(caller, viewerOf(key));
    };
    await Promise.all([...callers].map(find));
    return viewers;
  }

  /**
   * Of a job that is not as it was shown, or a poll that is one too many.
   *
   * @param found undefined where time alone has changed how it is shown
   */
  async #answerAnew(asked: Asked, verdict: Verdict | null, found: Found | Error | undefined): Promise<WireAnswer> {
    const { poll, viewer } = asked;
    const showing = { ...poll, dialect: poll.caller.dialect, viewer };
    try {
      refuseTooMany(verdict);
      if (found instanceof Error) throw found;
      const isNews = found !== undefined && found !== 'unchanged';
      const shown = isNews
        ? show(this.#services, this.#shown, showing, found)
        : await showNow(this.#services, this.#shown, showing);
      return this.#render(poll, shown, verdict);
    } catch (error) {
      return this.#refuse(poll, error, verdict);
    }
  }

  #refuse({ caller: { dialect }, request }: Poll, error: unknown, verdict: Verdict | null): WireAnswer {
    const refusal = refusalOf(error);
    if (refusal.kind === 'INTERNAL') this.#services.log.error({ err: error }, `a request in ${dialect.name} failed`);
    return this.#onWire(dialect, refusalAnswer(dialect, refusal, request), verdict);
  }

  #render({ caller: { dialect }, ifNoneMatch }: Poll, { etag, full, notModified }: ShownJob, verdict: Verdict | null): WireAnswer {
    return this.#onWire(dialect, isKnown(etag, ifNoneMatch) ? notModified : full, verdict);
  }

  #onWire(dialect: RestDialect, answer: Answer, verdict: Verdict | null): WireAnswer {
    const { head, encoding } = wireOf(answer);
    const notices = this.#notices.headersOf(dialect.name);
    const limit = rateLimitHeaders(dialect, verdict);
    const more = (notices === undefined ? '' : wireHeaders(notices)) + (limit === undefined ? '' : wireHeaders(limit));
    return { status: answer.status, head: head + more, body: answer.body, encoding };
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
