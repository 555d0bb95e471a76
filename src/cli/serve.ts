import { setTimeout as delay } from 'node:timers/promises';
import closeWithGrace from 'close-with-grace';
import type { Command } from 'commander';
import type { App } from '../server/app.ts';
import { createLog } from '../server/json-log.ts';
import { onStopSignal, stopSignals } from '../server/stop-signals.ts';
import { readConfig, refuse } from './refuse.ts';
import { tell } from './tell.ts';

export function declare(command: Command): void {
  command.action(serve);
}

/** `npm start`: reads the configuration, starts the app, and stops it in an orderly way when told to. */
async function serve(): Promise<void> {
  const config = readConfig();
  const log = createLog(config.logLevel);

  let app: App | null = null;
  // Skip close-with-grace's signal handling, in which a second signal ends the process at once.
  const grace: closeWithGrace.Options = {
    delay: config.stopSeconds * 1_000,
    logger: false,
    skip: [...stopSignals],
    onTimeout: () => log.error({}, 'exiting before everything has ended: STOP_SECONDS are over'),
    onSecondError: (err: unknown) => log.error({ err }, 'exiting after one more unexpected error'),
  };
  const stopper = closeWithGrace(grace, async ({ err }) => {
    if (err !== undefined) log.error({ err }, 'stopping after an unexpected error');
    await app?.stop();
  });
  const hurried = new AbortController();
  const stop = async () => {
    app?.drain();
    if (app !== null) await delay(config.drainSeconds * 1_000, undefined, { signal: hurried.signal }).catch(() => undefined);
    stopper.close();
  };
  onStopSignal({ stop, hurry: () => hurried.abort(), reload: () => void app?.reloadTypes() }, log);

  try {
    // Load the app after the configuration was read, so that a mistake there is reported at once.
    const { startApp } = await import('../server/app.ts');
    app = await startApp(config, {
      log,
      onFatal: (reason) => {
        log.error({ err: reason }, reason.message);
        stopper.close();
      },
    });
    log.info({ url: app.url, role: config.role }, 'ready');
    if (config.role !== 'worker') greet(app);
  } catch (error) {
    refuse('Longhaul cannot start', error);
  }
}

/** The one place that shows the key of the first start, and the sign-in in its place. */
function greet({ services, madeKey, showsPage, signInPath }: App): void {
  const url = services.publicUrl();
  const key = madeKey ?? 'YOUR_KEY';
  const query = JSON.stringify({ query: 'mutation { createJob(input: { type: "demo" }) { ... on CreateJobPayload { job { id status } } } }' });
  const lines = [
    '',
    ...(showsPage
      ? [`  Longhaul is ready. Open ${url}${signInPath ?? '/'}`, ...(signInPath === null ? [] : ['  It signs you in, once and within an hour; after that, use the key.'])]
      : [`  Longhaul is ready at ${url}/graphql (open it in a browser for GraphiQL).`]),
    ...(madeKey === null ? [] : ['', `  Admin key, shown this once: ${madeKey}`]),
    '',
    '  Try it: make a job that takes ten seconds.',
    `  curl -s ${url}/graphql -H 'Authorization: Bearer ${key}' -H 'Content-Type: application/json' -d '${query}'`,
    '',
  ];
  const facts = {
    api: `${url}/graphql`,
    ...(showsPage && { page: `${url}/` }),
    ...(signInPath !== null && { signIn: url + signInPath }),
    ...(madeKey !== null && { adminKey: madeKey }),
  };
  tell(lines.join('\n'), facts, madeKey === null ? 'serving' : 'serving; adminKey is shown this once');
}
