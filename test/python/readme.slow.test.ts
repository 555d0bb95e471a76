import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { testFolder } from '../support/process.ts';
import { python } from '../support/python-program.ts';
import { hasPython } from '../support/python-worker.ts';

const page = readFileSync(new URL('../../clients/python/README.md', import.meta.url), 'utf8');
const [, front = ''] = /^## From Python\n(.*?)^## /ms.exec(readFileSync(new URL('../../README.md', import.meta.url), 'utf8')) ?? [];
const blocks = [...(front + page).matchAll(/^```python\n(.*?)^```$/gms)].map(([, code = '']) => code);

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await startLonghaul({ ROLE: 'all' });
});
afterAll(() => longhaul.stop());

/** What each block has, and prints. */
const printed: [string, RegExp][] = [
  ['http://localhost:4000', /^[\d.]+ .*\n(?:.*\n)*\{'/],
  ['on_progress=print', /^Progress\(step=.*\n(?:.*\n)*\{'/],
  ['client.watch(', /^\d+ (PENDING|RUNNING) (?:.*\n)*\d+ COMPLETED (?:.*\n)*(DEBUG|INFO) (?:.*\n)*\{'/],
  ['pathlib.Path', /^14\n14\nDownloadedFile\(path='\.\/.*\n$/],
  ['JobFailed', /^failed \w+ job_\S+\n$/],
  ['@worker.handler', /^\{'comments': 3\}\n$/],
];

test.runIf(hasPython())('every block of Python does what the page says', async () => {
  expect(blocks).toHaveLength(printed.length);
  const env = { URL: longhaul.url, KEY: await (await longhaul.workspace()).key() };
  for (const [n, [about, pattern]] of printed.entries()) {
    const [block = ''] = blocks.slice(n);
    expect(block).toContain(about);
    const begin = ['import os', 'from longhaul import Client', 'url, key = os.environ["URL"], os.environ["KEY"]', 'client = Client(url, key)'];
    // Of the worker: somebody who submits, and then stops it.
    const submitter = [
      'import threading',
      'def submit():',
      '    print(client.run("comments", {"sourceUrl": "https://example.com/a.mp4"}, timeout=20))',
      '    worker.stop()',
      'threading.Thread(target=submit).start()',
      'worker.run()',
    ];
    const code = block.replace('http://localhost:4000', longhaul.url).replace('worker.run()\n', `${submitter.join('\n')}\n`);
    expect(await python([...begin, code].join('\n'), env, await testFolder()), about).toMatch(pattern);
  }
}, 120_000);
