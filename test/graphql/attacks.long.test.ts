import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { prepareInstallation } from '../support/process.ts';

/** Half a gigabyte of heap, and no limit of requests that would stand before what is tested. */
const env = { NODE_OPTIONS: '--max-old-space-size=512', RATE_LIMIT: '0', RATE_LIMIT_ANONYMOUS: '0' };

const words = (count: number, word: (index: number) => string) => Array.from({ length: count }, (_, index) => word(index)).join(' ');

/** Fragments that spread each other in turn, twice each: 2^depth paths. */
const nestedFragments = (depth: number) =>
  `${words(depth, (n) => `fragment F${n} on Job { id ${words(12, (i) => `x${i}: uuid`)} a: retryOf { ...F${n + 1} } b: retryOf { ...F${n + 1} } }`)} fragment F${depth} on Job { id uuid }`;

/** One attack of each kind; `n` makes every document another one. */
const attacks: { what: string; withKey: boolean; requests: number; document: (n: number) => string }[] = [
  {
    what: '49 aliases of `node` over nested fragments, the same one again and again',
    withKey: false,
    requests: 100,
    document: () => `{ ${words(49, (n) => `a${n}: node(id: "x") { ...F0 }`)} } ${nestedFragments(6)}`,
  },
  {
    what: '24 aliases over nested fragments, another one each time',
    withKey: false,
    requests: 100,
    document: (n) => `query Q${n} { ${words(24, (i) => `a${i}: node(id: "x") { ...F0 }`)} } fragment F0 on Job { a: retryOf { ...F1 } b: retryOf { ...F1 } } fragment F1 on Job { id }`,
  },
  { what: 'a document of 64 KB', withKey: false, requests: 500, document: (n) => padded(`query Q${n} { ${words(3_900, () => 'uuid')} }`, 65_000) },
  { what: 'three hundred fragments that are compared with each other', withKey: false, requests: 60, document: (n) => `query Q${n} { node(id: "x") { ${words(300, (i) => `...F${i}`)} } } ${words(300, (i) => `fragment F${i} on Job { id uuid type }`)}` },
  { what: 'one field four hundred times', withKey: false, requests: 60, document: (n) => `query Q${n} { ${words(420, () => 'job(id: "x") { id }')} }` },
  {
    what: 'introspection that multiplies by aliases',
    withKey: false,
    requests: 60,
    document: (n) => `query Q${n} { __schema { types { ${words(45, (i) => `f${i}: fields { type { fields { name type { name } } } }`)} } } }`,
  },
  { what: 'introspection of all types under many aliases', withKey: false, requests: 60, document: (n) => `query Q${n} { ${words(49, (i) => `a${i}: __schema { types { name description fields { name description } } }`)} }` },
  { what: 'as much introspection as is allowed', withKey: false, requests: 60, document: (n) => `query Q${n} { ${words(5, (i) => `a${i}: __schema { types { name description fields { name description } } }`)} }` },
  { what: 'a thousand fields that do not exist', withKey: false, requests: 60, document: (n) => `query Q${n} { ${words(980, (i) => `jobb${i}`)} }` },
  { what: 'unique documents of 94 KB', withKey: true, requests: 700, document: (n) => padded(`query Q${n} { ${words(1_900, () => '__typename')} }`, 94_000) },
  { what: 'unique documents of 94 KB in comments', withKey: true, requests: 500, document: (n) => `query Q${n} { __typename } ${'#\n'.repeat(46_900)}` },
  { what: 'unique subscriptions of 94 KB', withKey: true, requests: 500, document: (n) => padded(`subscription Q${n} { jobProgress(id: "x") { ${words(900, () => 'uuid')} } }`, 94_000) },
];

test.each(attacks)('the process stays up and answers at once under $what', async ({ withKey, requests, document }) => {
  const installation = await prepareInstallation(env);
  const server = await installation.start('api');
  const alive = await measurePulse(`${server.url}/health/live`);
  const key = withKey ? installation.adminKey : null;
  const statuses = new Set<number>();
  let next = 0;
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      while (next < requests) statuses.add(await post(server.url, document((next += 1)), key));
    }),
  );
  const slowest = await alive.stop();
  expect([...statuses].every((status) => [200, 400, 401, 406].includes(status))).toBe(true);
  expect(slowest).toBeLessThan(250);
  // And it goes on as before.
  expect(await post(server.url, '{ workspace { name } }', installation.adminKey)).toBe(200);
}, 300_000);

function padded(document: string, characters: number): string {
  return document.padEnd(characters, ' ');
}

async function post(url: string, query: string, key: string | null): Promise<number> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key === null ? {} : { authorization: `Bearer ${key}` }) },
    body: JSON.stringify({ query }),
  });
  await response.text();
  return response.status;
}

/**
 * Asks all the time and prints the longest that an answer took, in milliseconds, when its input ends. The first answer, for
 * which it loads its own HTTP client, is not among them: it only says that the pulse is there.
 */
const pulse = `
  let slowest = 0;
  let stopped = false;
  await fetch(process.argv[1]);
  console.log('ready');
  process.stdin.resume().on('end', () => { stopped = true; });
  while (!stopped) {
    const begun = performance.now();
    const { ok } = await fetch(process.argv[1]);
    if (!ok) throw new Error('the process is not alive');
    slowest = Math.max(slowest, performance.now() - begun);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  console.log(slowest);`;

/** In a process of its own: this one sends the attack, and would measure its own work as well. */
async function measurePulse(url: string): Promise<{ stop: () => Promise<number> }> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', pulse, url], { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill());
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  await lines.next();
  return {
    stop: async () => {
      child.stdin.end();
      const { value } = await lines.next();
      return Number(value);
    },
  };
}
