import type { IncomingMessage } from 'node:http';
import { sessionSeconds } from '../workspaces/sessions.ts';
import { secretIn } from '../workspaces/authenticate.ts';
import type { Forwarded } from './forwarded.ts';
import { OwnOrigin } from './own-origin.ts';
import type { Services } from '../services.ts';

/**
 * The cookie with which the page that this server serves, and GraphiQL, call GraphQL. Taken from their own origin alone: a browser
 * adds the cookie to what other pages send, too.
 */
export class PageSessions {
  readonly own: OwnOrigin;
  readonly #services: Pick<Services, 'config' | 'publicUrl' | 'installationId'>;

  constructor(services: Pick<Services, 'config' | 'publicUrl' | 'installationId'>, forwarded: Forwarded) {
    this.#services = services;
    this.own = new OwnOrigin(forwarded, services.publicUrl);
  }

  /** The session of a request; null where there is none, a key is sent, or another page may have sent it. */
  of(request: IncomingMessage): string | null {
    return this.#in(request, () => this.own.sent(request));
  }

  /** The session of a request to upgrade. */
  ofUpgrade(request: IncomingMessage): string | null {
    return this.#in(request, () => this.own.named(request));
  }

  /** Set-Cookie for a session, or to end it. */
  cookie(session: string | null): string {
    const { name, attributes } = this.#form();
    const lasts = `Max-Age=${session === null ? 0 : sessionSeconds}`;
    return [`${name}=${session ?? ''}`, ...attributes, lasts, 'HttpOnly', 'SameSite=Strict'].join('; ');
  }

  /** @param isOwn asked where there is a session: most requests have none */
  #in({ headers }: IncomingMessage, isOwn: () => boolean): string | null {
    if (!this.#services.config.dashboard || headers.cookie === undefined || secretIn(headers) !== null) return null;
    const { name } = this.#form();
    for (const pair of headers.cookie.split(';')) {
      const [key = '', value = ''] = pair.trim().split('=', 2);
      if (key === name && value !== '') return isOwn() ? value : null;
    }
    return null;
  }

  /**
   * With the installation in its name: ports of one host share their cookies. `__Host-` keeps other hosts of the domain from setting
   * it. Without a path it gets the folder of /session as the browser sees it, whatever a proxy in front takes off.
   */
  #form(): { name: string; attributes: string[] } {
    const name = `longhaul_session_${this.#services.installationId.slice(-8)}`;
    const { protocol, pathname } = new URL(this.#services.publicUrl());
    if (protocol !== 'https:') return { name, attributes: [] };
    return pathname === '/' ? { name: `__Host-${name}`, attributes: ['Secure', 'Path=/'] } : { name: `__Secure-${name}`, attributes: ['Secure'] };
  }
}
