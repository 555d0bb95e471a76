import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { KilledFleet } from '../support/killed-fleet.ts';
import { python } from '../support/python-program.ts';
import { hasPython, startPythonWorker } from '../support/python-worker.ts';

/** As many parts as a job's file has; each takes its maker a second. */
const parts = 8;

/** What the soaked worker makes of the seed. */
function madeOf(seed: string): string {
  const all = createHash('sha256');
  for (let part = 0; part < parts; part += 1) {
    const digest = createHash('sha256').update(`${seed}${part}`).digest();
    for (let n = 0; n < 2_048; n += 1) all.update(digest);
  }
  return all.digest('hex');
}

test.runIf(hasPython())('300 jobs over three workers, killed at random for two minutes with the api: each ends once, goes on from its checkpoint, and has its file whole', async () => {
  const fleet = await KilledFleet.start((env) => startPythonWorker('test/support/soaked_worker.py', env));
  const { installation, url } = fleet;

  // Its watches are killed with the api, too.
  const ended = python(
    `
import os, threading
from concurrent.futures import ThreadPoolExecutor
from longhaul import Client, Submission
client = Client(os.environ["LONGHAUL_URL"], os.environ["LONGHAUL_API_KEY"])
seed = client.upload(b"seed", filename="seed.bin")
handles = client.submit_many([Submission("parts", {"sourceUrl": seed, "parts": ${parts}}) for _ in range(300)])
def end(handle):
    versions = [job for job in client.watch(handle)]
    assert [job.version for job in versions] == sorted({job.version for job in versions})
    return versions[-1].status
with ThreadPoolExecutor(30) as pool: print(sorted(set(pool.map(end, handles))), len(handles))
`,
    { LONGHAUL_URL: url, LONGHAUL_API_KEY: installation.adminKey },
  );
  const kills = await fleet.killFor(120);

  expect(await ended).toBe("['COMPLETED'] 300\n");
  expect(await fleet.ends()).toEqual({ jobs: 300, wrong: [], leases: [] });
  const counted = async (sql: string) => installation.query(sql);
  expect(await counted('SELECT sha256, count(*)::int FROM artifact GROUP BY sha256')).toEqual([{ sha256: madeOf('seed'), count: 300 }]);
  const [resumed] = await installation.query<{ count: number }>("SELECT count(*)::int FROM job WHERE (output->>'begunAt')::int > 0");
  const [again] = await installation.query<{ count: number }>("SELECT count(*)::int FROM job_attempt WHERE outcome <> 'COMPLETED'");
  expect(resumed?.count).toBeGreaterThan(10);
  expect(again?.count).toBeGreaterThanOrEqual(resumed?.count ?? 0);
  expect(kills).toBeGreaterThan(15);
}, 900_000);
