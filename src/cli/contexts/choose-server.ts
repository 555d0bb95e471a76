import { CommandError, UsageError } from '../command-error.ts';
import { exitCodes } from '../exit-codes.ts';
import { httpUrl } from '../http-url.ts';
import type { Context, Contexts } from './context-file.ts';

/** Which server a command asks, and with which key. */
export interface ChosenServer {
  url: string;
  key: string;
  /** The context that the key is from; null where LONGHAUL_KEY gave it. */
  context: string | null;
}

export interface ServerChoice {
  url?: string | undefined;
  context?: string | undefined;
}

/** Where a server listens that nobody has configured. */
export const usualUrl = 'http://localhost:4000';

/**
 * Decides by the options, then the environment, then the contexts. A key goes to the host that it was given for: a context's key to its
 * own, LONGHAUL_KEY to LONGHAUL_URL, or without that to the usual address and never to a context's.
 *
 * @throws CommandError where there is no key for the host
 */
export function chooseServer({ url: given, context: name }: ServerChoice, env: NodeJS.ProcessEnv, { current, contexts }: Contexts): ChosenServer {
  // Whole from here on: who typed `localhost:4000` means http://.
  const asked = given === undefined ? undefined : readUrl(given);
  if (name !== undefined) {
    const context = contexts.find((one) => one.name === name);
    if (context === undefined) throw new UsageError(`There is no context ${name}. longhaul context list shows those that there are.`);
    if (asked !== undefined && !isSameHost(asked, context.url)) throw elsewhere(asked, `The key of the context ${name} is for ${context.url}`);
    return { url: asked ?? context.url, key: context.key, context: name };
  }
  const used = contexts.find((one) => one.name === current);
  const key = env['LONGHAUL_KEY'] ?? '';
  const ownUrl = env['LONGHAUL_URL'] ? readUrl(env['LONGHAUL_URL']) : '';
  if (key !== '') {
    const home = ownUrl !== '' ? ownUrl : usualUrl;
    const whose = ownUrl !== '' ? `LONGHAUL_KEY is for ${home}` : `LONGHAUL_KEY without LONGHAUL_URL is for ${home}`;
    // Whoever is signed in elsewhere may mean that server, which must not get a key that was never said to be its own.
    const meant = asked ?? (ownUrl === '' ? used?.url : undefined) ?? home;
    if (!isSameHost(meant, home)) throw elsewhere(meant, whose, ', or set LONGHAUL_URL to it, too');
    return { url: meant, key, context: null };
  }
  const url = asked ?? (ownUrl !== '' ? ownUrl : undefined);
  if (url === undefined) {
    if (used === undefined) throw new CommandError('You are not signed in. Run: longhaul login, or set LONGHAUL_URL and LONGHAUL_KEY.', exitCodes.notSignedIn);
    return { url: used.url, key: used.key, context: used.name };
  }
  const context = [used, ...contexts].find((one): one is Context => one !== undefined && isSameHost(url, one.url));
  if (context === undefined) throw new CommandError(`There is no key for ${originOf(url)}. Run: longhaul login ${url}`, exitCodes.notSignedIn);
  return { url, key: context.key, context: context.name };
}

/** The base URL, as it is kept. @throws UsageError */
export function readUrl(text: string): string {
  const url = httpUrl(text);
  if (url === null) throw new UsageError(`${text} is no URL of a server. Give one such as https://jobs.example.com`);
  if (url.username !== '' || url.password !== '' || url.search !== '') throw new UsageError('Give the URL of the server alone: no user name, password or query.');
  return url.href.replace(/\/+$/, '');
}

function isSameHost(one: string, other: string): boolean {
  return originOf(one) === originOf(other);
}

function originOf(url: string): string {
  return new URL(readUrl(url)).origin;
}

function elsewhere(url: string, whose: string, orElse = ''): CommandError {
  return new CommandError(`${whose} and is sent nowhere else. For ${originOf(url)} run: longhaul login ${url}${orElse}`, exitCodes.notSignedIn);
}
