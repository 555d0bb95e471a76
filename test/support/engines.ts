import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { EngineSetting } from '../../src/worker/engines/setting.ts';

export interface Asked {
  path: string;
  authorization: string | undefined;
  /** The fields of a form. */
  form: [name: string, value: string | File][];
  /** Null for a form. */
  json: unknown;
}

/** Whether espeak-ng is here. CI requires it. */
export function hasEspeak(): boolean {
  if (spawnSync('espeak-ng', ['--version']).status === 0) return true;
  if (process.env['CI'] === 'true') throw new Error('CI needs espeak-ng in the PATH. Install the package espeak-ng.');
  process.stderr.write('No espeak-ng in the PATH: the scenario that speaks with it is left out. Install it to run it.\n');
  return false;
}

/** A small server in place of an engine: it answers each question by this function, with a status and JSON, a text or bytes. */
export async function standIn(answer: (asked: Asked) => { status?: number; body: unknown }): Promise<{ url: string; asked: Asked[] }> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const type = request.headers['content-type'] ?? '';
      const form = type.startsWith('multipart/') ? [...(await new Response(Buffer.concat(chunks), { headers: { 'content-type': type } }).formData())] : [];
      const question = { path: request.url ?? '', authorization: request.headers.authorization, form, json: form.length > 0 ? null : JSON.parse(Buffer.concat(chunks).toString('utf8')) };
      asked.push(question);
      const { status = 200, body } = answer(question);
      response.writeHead(status, { 'content-type': 'application/json' }).end(typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body));
    })();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return { url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`, asked };
}

/** An engine that is a script of the shell, with these parameters. It goes after the test. */
export async function command(script: string, ...parameters: string[]): Promise<EngineSetting> {
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-engine-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const program = join(folder, 'engine.sh');
  await writeFile(program, `#!/bin/sh\n${script}\n`);
  await chmod(program, 0o700);
  return { kind: 'command', program, parameters };
}
