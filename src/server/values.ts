import { resolve } from 'node:path';
import { z } from 'zod';
import { ConninfoError } from '../database/connection/conninfo.ts';
import { readServer, type Server } from '../database/connection/database-url.ts';
import { type OutboundAllow, parseOutboundAllow } from '../outbound/addresses.ts';
import { readEngine } from '../worker/engines/setting.ts';
import { builtInNames } from '../jobs/types/built-in.ts';
import type { TrustedProxies } from '../services.ts';
import { type Dialect, dialects } from '../workspaces/dialect.ts';

/*
 * Schemas for the values of environment variables. Each describes what it expects, and reports that for an invalid value,
 * together with the value unless it is or may contain a secret.
 */

const vendors = dialects.filter((dialect) => dialect !== 'NATIVE');
const vendorNames = vendors.map((vendor) => vendor.toLowerCase());
const anyVendor = vendorNames.join(', ');

const text = z.string().trim();

/** Splits a list at commas and white space. */
const list = z.string().transform((value) => value.split(/[\s,]+/).filter((item) => item !== ''));

/** Makes the `error` option of a schema. */
function expecting(what: string) {
  return ({ input }: { input?: unknown }): string => `expected ${what}, got ${quoted(String(input))}.`;
}

/** Quotes a value for a message, unless it may contain credentials. */
function quoted(value: string): string {
  return /[@?]/.test(value) ? 'a value that may hold credentials (not shown)' : JSON.stringify(value.slice(0, 100));
}

export function integer(min: number, max: number) {
  const what = `an integer from ${min} to ${max}`;
  const error = expecting(what);
  const number = z.number().refine((value) => value >= min && value <= max, { error });
  return text.regex(/^\d{1,16}$/, { error }).transform(Number).pipe(number).describe(what);
}

export function boolean() {
  const what = 'true or false';
  // Not z.stringbool: its failure aborts, so mistakes that involve several variables would not be reported.
  const words = z.enum(['true', '1', 'false', '0'], { error: expecting(what) });
  return text.toLowerCase().pipe(words).transform((word) => word === 'true' || word === '1').describe(what);
}

export function oneOf<const Option extends string>(options: readonly Option[]) {
  const what = `one of ${options.join(', ')}`;
  return text.toLowerCase().pipe(z.enum(options, { error: expecting(what) })).describe(what);
}

/** A host name or an IP address. Whether we can listen on it shows only when we try. */
export function address() {
  const what = 'a host name or an IP address';
  return text.regex(/^[\w.:%-]+$/, { error: expecting(what) }).describe(what);
}

/** Names of built-in types, `all` or `none`. */
export function builtInTypes() {
  const error = expecting(`all, none, or names with a comma between them: ${builtInNames.join(', ')}`);
  return text
    .transform((value) => ({ all: builtInNames.join(','), none: '' })[value] ?? value)
    .pipe(list)
    .pipe(z.array(z.enum(builtInNames, { error })))
    .describe('all, none, or names with a comma between them');
}

/** Who does the work on speech and language. LibreTranslate translates, and does nothing else. */
export function engine({ translates = false } = {}) {
  const forms = translates ? 'command:PROGRAM PARAMETERS, http:URL or libretranslate:URL' : 'command:PROGRAM PARAMETERS or http:URL';
  const what = `${forms}, the URL without user name`;
  const isOne = (value: string) => {
    const kind = readEngine(value, null)?.kind;
    return kind !== undefined && (translates || kind !== 'libretranslate');
  };
  return text.refine((value) => isOne(value) && !/^\w+:https?:\/\/[^/]*@/.test(value), { error: expecting(what) }).describe(what);
}

export function engineKey() {
  const what = 'printable ASCII without spaces';
  return text.regex(/^[\x21-\x7e]+$/, { error: `expected ${what} (the value is not shown)` }).describe(what);
}

/** A path, made absolute. */
export function path(what: string) {
  return text.transform((value) => resolve(value)).describe(what);
}

/** One secret or several, newest first, never shown. */
export function secrets() {
  const what = 'at least 32 characters, or several such values with commas between them, newest first';
  const each = z.string().min(32, { error: `expected ${what}; one value is too short.` });
  return z
    .string()
    .transform((value) => value.split(',').map((part, _index, all) => (all.length === 1 ? part : part.trim())))
    .pipe(z.tuple([each], each))
    .describe(what);
}

/** A secret that fits into an HTTP header. */
export function apiKey() {
  const what = 'at least 32 characters of visible ASCII, without white space';
  return longEnough(what).pipe(z.string().regex(/^[\x21-\x7e]*$/, { error: `expected ${what}.` })).describe(what);
}

function longEnough(what: string) {
  return z.string().min(32, { error: ({ input }) => `expected ${what}, got ${String(input).length} characters.` });
}

/** A URL, without a trailing slash. */
/** Origins of pages, as browsers send them; null for any. */
export function pageOrigins() {
  const what = '* for any, none, or origins such as https://app.example.com';
  return list
    .transform((items, context) => {
      if (items.length === 1 && items[0] === '*') return null;
      if (items.length === 1 && items[0]?.toLowerCase() === 'none') return new Set<string>();
      const wrong = items.find((item) => URL.parse(item)?.origin !== item.toLowerCase());
      if (wrong !== undefined) context.addIssue({ code: 'custom', message: expecting(what)({ input: wrong }) });
      return new Set(items.map((item) => item.toLowerCase()));
    })
    .describe(what);
}

export function publicUrl() {
  const what = 'an http or https URL without credentials, query or fragment, for example https://jobs.example.com';
  const error = expecting(what);
  // The URL parser is lenient: it accepts `https:host`, for example.
  const url = text.regex(/^https?:\/\/[^\s\\?#@]+$/i, { error }).pipe(z.url({ normalize: true, error }));
  return url.transform((href) => href.replace(/\/+$/, '')).describe(what);
}

/** A Postgres connection string. Never shown. What it leaves open is read from the PG* environment variables. */
export function databaseServer() {
  return text
    .transform((value, context): Server => {
      try {
        return readServer(value, process.env);
      } catch (error) {
        if (!(error instanceof ConninfoError)) throw error;
        context.addIssue({ code: 'custom', message: error.message });
        return z.NEVER;
      }
    })
    .describe('a postgres:// URL, or keyword=value pairs as libpq takes them');
}

/** Where in which bucket files are: the prefix is empty, or ends with a slash. */
export function bucketUrl() {
  const what = 's3://BUCKET or s3://BUCKET/PREFIX, of letters, digits and ._/-';
  const form = /^s3:\/\/([a-z0-9][a-z0-9._-]{1,253})(?:\/([A-Za-z0-9._/-]*))?$/;
  return text
    .transform((value, context) => {
      const [, bucket, folders = ''] = form.exec(value) ?? [];
      const names = folders.split('/').filter((name) => name !== '');
      if (bucket !== undefined && !names.includes('.') && !names.includes('..')) return { bucket, prefix: names.map((name) => `${name}/`).join('') };
      context.addIssue(expecting(what)({ input: value }));
      return z.NEVER;
    })
    .describe(what);
}

/** A region, as services name theirs. */
export function awsName() {
  const what = 'the name of a region, for example eu-central-1 or auto';
  return text.regex(/^[a-z0-9-]{1,64}$/i, { error: expecting(what) }).describe(what);
}

/** What a storage service gave as a credential. Never shown. */
export function credential() {
  const what = 'visible ASCII, without white space';
  return text.pipe(z.string().regex(/^[\x21-\x7e]+$/, { error: `expected ${what}.` })).describe(what);
}

/** The URL of a server. Never shown: it contains a password, and in an invalid URL we cannot tell where. */
export function serverUrl(what: string, isReadable: (url: string) => boolean) {
  return text.refine(isReadable, { error: `expected ${what}.` }).describe(what);
}

const network = z
  .union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6(), z.enum(['loopback', 'linklocal', 'uniquelocal'])])
  .refine((range) => !range.endsWith('/0'));

/** A value for Fastify's `trustProxy` option. */
export function trustedProxies() {
  const what = 'none, true, a number of proxies in a row from 1 to 32, or a list of IP addresses and CIDR ranges';
  const forms = z.union(
    [
      z.enum(['none', 'false', '0']).transform((): TrustedProxies => false),
      z.literal('true').transform((): TrustedProxies => true),
      // A function, because since 5.12 Fastify takes a plain number to mean that no proxy is trusted.
      integer(1, 32).transform((hops): TrustedProxies => (_address, hop) => hop < hops),
      list.pipe(z.array(network).min(1)),
    ],
    { error: expecting(what) },
  );
  return text.toLowerCase().pipe(forms).describe(what);
}

/** Dialects by host name, in lower case and without port. */
export function hostsOfDialects() {
  const pair = new RegExp(`^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?=(${vendorNames.join('|')})$`);
  const error = expecting(`host=dialect (${anyVendor}; no port)`);
  return z
    .string()
    .toLowerCase()
    .pipe(list)
    .pipe(z.array(z.string().regex(pair, { error })))
    .transform((pairs, context): ReadonlyMap<string, Dialect> => {
      const hosts = new Map<string, Dialect>();
      for (const [host, dialect] of pairs.map(nameAndValue)) {
        if (hosts.has(host)) context.addIssue(`has ${host} twice. Give each host one dialect.`);
        hosts.set(host, vendorOf(dialect));
      }
      return hosts;
    })
    .describe(`host=dialect pairs with a comma between them, dialects ${anyVendor}`);
}

export function datesOfDialects() {
  const pair = z.templateLiteral([z.enum(vendorNames), '=', z.iso.date()], { error: expecting(`dialect=YYYY-MM-DD (${anyVendor})`) });
  return z
    .string()
    .toLowerCase()
    .pipe(list)
    .pipe(z.array(pair))
    .transform((pairs, context): ReadonlyMap<Dialect, Date> => {
      const dates = new Map<Dialect, Date>();
      for (const [dialect, day] of pairs.map(nameAndValue)) {
        if (dates.has(vendorOf(dialect))) context.addIssue(`has ${dialect} twice. Give each dialect one date.`);
        dates.set(vendorOf(dialect), new Date(`${day}T00:00:00Z`));
      }
      return dates;
    })
    .describe(`dialect=date pairs with a comma between them, for example vidocu=2027-06-30, dialects ${anyVendor}`);
}

function nameAndValue(pair: string): [name: string, value: string] {
  const [name = '', value = ''] = pair.split('=', 2);
  return [name, value];
}

function vendorOf(name: string): Dialect {
  return vendors.find((vendor) => vendor.toLowerCase() === name) ?? 'NATIVE';
}

/** Hosts, addresses and ranges that may be reached even though they are private. */
export function reachableAddresses() {
  const entry = z.string().superRefine((item, context) => {
    const problem = entryProblem(item);
    if (problem !== null) context.addIssue(problem);
  });
  return list
    .pipe(z.array(entry))
    .transform((entries): OutboundAllow => parseOutboundAllow(entries))
    .describe('host names, IP addresses and CIDR ranges with commas or spaces between them');
}

function entryProblem(entry: string): string | null {
  if (entry.includes('@')) return expecting('a host name, an IP address or a CIDR range')({ input: entry });
  try {
    parseOutboundAllow([entry]);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
