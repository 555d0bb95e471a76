import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { buffering, cutting } from '../support/cutting-proxy.ts';
import { endUnseen } from '../support/deleting.ts';
import { Tenant } from '../support/domain.ts';
import { type Longhaul, startLonghaul } from '../support/longhaul.ts';
import { testFolder } from '../support/process.ts';
import { python } from '../support/python-program.ts';
import { hasPython } from '../support/python-worker.ts';

const begin = `
import io, json, os, threading, time
from datetime import datetime, timezone
import longhaul
from longhaul import *
client = Client(os.environ["URL"], os.environ["KEY"])
`;

describe.runIf(hasPython())('a client on the Python package', () => {
  let longhaul: Longhaul;
  let key: string;
  beforeAll(async () => {
    longhaul = await startLonghaul({ ROLE: 'all' });
    key = await (await longhaul.workspace({ credits: 1_000 })).key();
  });
  afterAll(() => longhaul.stop());

  const run = (code: string, url = longhaul.url, folder?: string, as = key) => python(begin + code, { URL: url, KEY: as }, folder);

  test('runs a job, is told of its progress, and has its output', async () => {
    const printed = await run(`
steps = []
output = client.run("demo", {"seconds": 1}, on_progress=lambda progress: steps.append(progress.percentage), tags=["customer-7"])
print(steps == sorted(steps), steps[-1], output["file"] if isinstance(output.get("file"), str) else type(output).__name__)
`);
    expect(printed).toMatch(/^True 100/);
  });

  test('watches a job in versions that only grow, to its end, and resumes after one', async () => {
    const printed = await run(`
handle = client.submit("demo", {"seconds": 0.5})
versions = [(job.version, job.status) for job in client.watch(handle)]
print([version for version, _ in versions] == sorted({version for version, _ in versions}), versions[-1][1])
print(list(client.watch(handle.id, after_version=versions[-1][0])), [job.status for job in handle.watch(after_version=versions[-1][0] - 1)])
print([line.level for line in handle.logs()] != [], handle.job().is_final)
`);
    expect(printed).toBe("True COMPLETED\n[] ['COMPLETED']\nTrue True\n");
  });

  test('a job that is deleted unseen ends the waiting for it with an error', async () => {
    const workspace = await longhaul.workspace();
    const { job } = await Tenant.of(longhaul, workspace.id).running({ type: 'comments' });
    const printed = run(`
try: print(client.handle("${job.id}").result())
except LonghaulError as error: print(type(error).__name__, error.code, error.retryable)
`, longhaul.url, undefined, await workspace.key());
    await vi.waitFor(() => expect(longhaul.services.jobs.watched.jobs).toBe(1), { timeout: 20_000 });
    await endUnseen(longhaul, job);
    expect(await printed).toBe('NotFoundError NOT_FOUND False\n');
  });

  test('tells by class, code and place what went wrong', async () => {
    const printed = await run(`
def caught(call):
    try: call()
    except LonghaulError as error: print(type(error).__name__, error.code, error.retryable, [issue["path"] for issue in error.issues])
caught(lambda: client.run("demo", {"seconds": 0, "failAt": "render"}, max_attempts=1))
caught(lambda: client.submit("demo", {"seconds": "many"}))
caught(lambda: client.submit("nothing of the kind", {}))
caught(lambda: client.handle("job_nobody").job())
caught(lambda: list(client.watch("job_nobody")))
done = client.submit("demo", {"seconds": 0}); done.result()
caught(lambda: done.cancel()); caught(lambda: done.retry())
caught(lambda: Client(os.environ["URL"], "lh_wrong").submit("demo"))
caught(lambda: client.run("demo", {"seconds": 30}, timeout=0.5))
waiting = client.submit("comments", {"sourceUrl": "https://example.com/a.mp4"}, run_at=datetime(2100, 1, 1, tzinfo=timezone.utc))
waiting.cancel("not needed"); caught(waiting.result)
first = client.submit("demo", {"seconds": 0}, idempotency_key="mine")
print(client.submit("demo", {"seconds": 0}, idempotency_key="mine").id == first.id)
caught(lambda: client.submit("demo", {"seconds": 1}, idempotency_key="mine"))
`);
    expect(printed.split('\n')).toEqual([
      expect.stringMatching(/^JobFailed \w+ False \[\]$/),
      "ValidationError VALIDATION_ERROR False [['input', 'seconds']]",
      "ValidationError VALIDATION_ERROR False [['type']]",
      'NotFoundError NOT_FOUND False []',
      'NotFoundError NOT_FOUND False []',
      'AlreadyFinishedError ALREADY_FINISHED False []',
      'NotRetryableError NOT_RETRYABLE False []',
      'UnauthenticatedError UNAUTHENTICATED False []',
      'TimedOut TIMED_OUT False []',
      'JobCancelled CANCELLED False []',
      'True',
      'IdempotencyConflictError IDEMPOTENCY_CONFLICT False []',
      '',
    ]);
  });

  test('takes a key as it was read from a file, and refuses at once what is none, without showing it', async () => {
    const printed = await run(`
print(Client(os.environ["URL"], os.environ["KEY"] + "\\n").run("demo", {"seconds": 0})["bytes"] > 0)
try: Client(os.environ["URL"], "a secret\\nkey")
except ValueError as error: print("secret" in str(error))
`);
    expect(printed).toBe('True\nFalse\n');
  });

  test('an upload and a download go on after every cut, and the file is whole', async () => {
    const folder = await testFolder();
    const content = randomBytes(3_000_000);
    await writeFile(join(folder, 'film.bin'), content);
    const { url, cuts } = await cutting(longhaul.url, 700_000);
    const printed = await run(
      `
told = []
file = client.upload("film.bin", on_progress=lambda done, total: told.append((done, total)))
print(told[0], told[-1])
worker = Worker(client)
@worker.handler("comments")
def twice(ctx, input):
    with ctx.open(input["sourceUrl"]) as source: content = source.read()
    ctx.save("film", content * 2, filename="twice.bin")
    worker.stop()
handle = client.submit("comments", {"sourceUrl": file})
thread = threading.Thread(target=worker.run); thread.start()
handle.result(timeout=30)
print(client.download(handle, "got.bin"))
thread.join()
`,
      url,
      folder,
    );
    expect(printed).toBe(
      "(0, 3000000) (3000000, 3000000)\nDownloadedFile(path='got.bin', filename='twice.bin', media_type='application/octet-stream', bytes=6000000)\n",
    );
    expect((await readFile(join(folder, 'got.bin'))).equals(Buffer.concat([content, content]))).toBe(true);
    // Of the file, and of what is made of it; more where a cut took what was on its way.
    expect(cuts()['PATCH']).toBeGreaterThanOrEqual(4 + 8);
    expect(cuts()['GET']).toBeGreaterThanOrEqual(4 + 8);
  }, 60_000);

  test('a path in the input is sent, many jobs are made at once, and a result file is saved under its own name', async () => {
    const folder = await testFolder();
    await writeFile(join(folder, 'note.txt'), 'What was said.');
    const printed = await run(
      `
import pathlib
print(client.run("fingerprint", {"sourceUrl": pathlib.Path("note.txt")})["bytes"])
handles = client.submit_many([Submission("demo", {"seconds": 0, "file": "text"}, tags=["batch"]) for _ in range(3)])
print([type(handle.result()).__name__ for handle in handles], len({handle.id for handle in handles}))
saved = client.download(handles[0], ".")
print(saved.path == os.path.join(".", saved.filename), os.path.getsize(saved.path) == saved.bytes, os.listdir(".").count(saved.filename))
data = client.query("{ jobs(filter: { tags: [\\"batch\\"] }) { count { value } } }")
print(data["jobs"]["count"]["value"])
`,
      longhaul.url,
      folder,
    );
    expect(printed).toBe("14\n['dict', 'dict', 'dict'] 3\nTrue True 1\n3\n");
    expect(await readFile(join(folder, 'note.txt'), 'utf8')).toBe('What was said.');
  });

  test('a watch goes on over held polls where every stream is held back', async () => {
    const { url } = await buffering(longhaul.url);
    const printed = await run(
      `
from longhaul import events
events.FIRST_BYTE_WITHIN = 0.5
print([job.status for job in client.watch(client.submit("demo", {"seconds": 3}))][-1])
`,
      url,
    );
    expect(printed).toBe('COMPLETED\n');
  }, 60_000);
});
