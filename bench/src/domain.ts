import { type App, startApp } from '../../src/server/app.ts';
import { loadConfig } from '../../src/server/configuration.ts';
import { silentLog } from '../../src/log.ts';
import { cpuBetween, ownCpu, postgresCpu } from './cpu.ts';
import type { Installation } from './installation.ts';
import type { Sample } from './measure.ts';
import type { Stops } from './stops.ts';

/** Starts Longhaul in this process. */
export async function startDomain({ env }: Installation, stops: Stops): Promise<App> {
  const app = await startApp(loadConfig(env), {
    log: silentLog,
    onFatal: (reason) => {
      throw reason;
    },
  });
  stops.push(() => app.stop());
  return app;
}

/** Measures one round of work in this process. `work` returns how much it did. */
export async function domainRound(installation: Installation, work: () => Promise<number>): Promise<Sample> {
  const backends = await postgresCpu(installation);
  const cpu = ownCpu();
  const start = performance.now();
  const count = await work();
  const seconds = (performance.now() - start) / 1_000;
  const cpuAfter = ownCpu();
  const postgres = cpuBetween(backends, await postgresCpu(installation));
  return {
    value: count / seconds,
    count,
    cpu: (cpuAfter - cpu) / count,
    postgresCpu: postgres === null ? null : postgres / count,
  };
}
