import { type BossOptions, startBoss, stopBoss } from '../../src/background/boss.ts';
import { WebhookQueue } from '../../src/webhooks/queue.ts';

/** Makes the tables of the background queue in a template, so that no test waits for them. */
export async function prepareQueue(options: BossOptions): Promise<void> {
  const boss = await startBoss(options);
  await WebhookQueue.on(boss);
  await stopBoss(boss);
}
