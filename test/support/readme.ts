import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { compileFunction } from 'node:vm';
import { onTestFinished } from 'vitest';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const address = 'http://localhost:4000';

/** A line of the examples whose value the reader has to fill in, such as `ID=job_…`. */
const blank = /^([A-Z_]+)=.*….*\n/m;

/** One block of the README from its examples on, at this process. @param start what the block begins with */
function example(language: 'sh' | 'html', start: string, url: string): string {
  const [, examples = ''] = readme.split('\n### Examples\n');
  const blocks = [...examples.matchAll(/^```(\w+)\n(.*?)^```$/gms)].filter(([, of]) => of === language).map(([, , code = '']) => code);
  const block = blocks.find((code) => code.startsWith(start));
  if (block === undefined) throw new Error(`The README has no example that starts with ${start}`);
  return block.replaceAll(address, url);
}

/** A bash into which a reader pastes the examples. */
export interface Reader {
  /**
   * Pastes a block, up to each value that the reader has to fill in.
   *
   * @param start what the block begins with
   * @param values what the reader fills in by its name, given the last answer
   * @returns what each part printed
   */
  paste(start: string, values?: Record<string, (answer: string) => string | Promise<string>>): Promise<string[]>;
}

/** Starts the bash. After the test it is ended and waited for. @param url of the process that the examples call */
export function startReader(url: string): Reader {
  const bash = spawn('bash', { env: { PATH: process.env['PATH'] }, stdio: ['pipe', 'pipe', 'inherit'] });
  const closed = once(bash, 'close');
  onTestFinished(async () => {
    bash.stdin.end();
    await closed;
  });
  const output = bash.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false });
  const run = async (code: string) => {
    bash.stdin.write(`${code}\nprintf '\\0'\n`);
    let printed = '';
    while (!printed.endsWith('\0')) {
      const { value, done } = await output.next();
      if (done === true) throw new Error(`bash ended after:\n${printed}`);
      printed += value;
    }
    return printed.slice(0, -1);
  };
  return {
    paste: async (start, values = {}) => {
      const [first = '', ...others] = example('sh', start, url).split(blank);
      const printed = [await run(first)];
      for (let at = 0; at < others.length; at += 2) {
        const [name = '', code = ''] = others.slice(at, at + 2);
        const value = await values[name]?.(printed.at(-1) ?? '');
        if (value === undefined) throw new Error(`The example asks for ${name}.`);
        printed.push(await run(`${name}='${value}'\n${code}`));
      }
      return printed;
    },
  };
}

/** The README's page, with as much of a browser as it uses. */
export interface Page {
  /** What it showed so far. */
  shown: { text: string; percentage: number }[];
  /** The variables of its requests so far. */
  asked: object[];
  /** Enters a token and a job, and presses the button. Resolves when the page has nothing more to wait for. */
  watch(token: string, job: string): Promise<void>;
  /** Breaks its connection. */
  cut(): void;
}

type Listener = (event: { preventDefault(): void }) => Promise<void>;

/** Opens the page, which waits for no time before it connects again. @param url of the process that it calls */
export function openPage(url: string): Page {
  const html = example('html', '<!doctype html>', url);
  const [, script = ''] = /<script type="module">\n(.*)<\/script>/s.exec(html) ?? [];
  const pause = '2_000';
  if (!script.includes(pause)) throw new Error(`The page waits for no ${pause}.`);
  const shown: Page['shown'] = [];
  const asked: Page['asked'] = [];
  const fields = { token: { value: '' }, job: { value: '' } };
  const bar = { value: 0 };
  let submit: Listener | null = null;
  const elements: Record<string, object> = {
    form: { elements: fields, addEventListener: (_type: 'submit', listener: Listener) => (submit = listener) },
    progress: bar,
    output: {
      set value(text: string) {
        shown.push({ text: text.trim(), percentage: bar.value });
      },
    },
  };
  let connection = new AbortController();
  const scope = {
    document: { querySelector: (name: string) => elements[name] },
    fetch: (to: string, init: RequestInit & { body: string }) => {
      asked.push(JSON.parse(init.body).variables);
      connection = new AbortController();
      return fetch(to, { ...init, signal: connection.signal });
    },
  };
  compileFunction(script.replace(pause, '0'), Object.keys(scope), { filename: 'README.md' })(...Object.values(scope));
  return {
    shown,
    asked,
    watch: async (token, job) => {
      fields.token.value = token;
      fields.job.value = job;
      if (submit === null) throw new Error('The page does not hear its button.');
      await submit({ preventDefault: () => {} });
    },
    cut: () => connection.abort(),
  };
}
