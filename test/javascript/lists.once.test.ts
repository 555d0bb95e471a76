import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { storesOf } from '../../clients/js/src/react/stores.ts';
import { eventually } from '../support/eventually.ts';
import { holding, packageUser } from '../support/javascript-client.ts';
import { type Longhaul, sharedLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await sharedLonghaul();
});
afterAll(() => longhaul.stop());

test('what ends while the next page is on its way is shown as ended, and what leaves the filter is not shown', async () => {
  const { held, fetch } = holding(/"after":"/);
  const { client, tenant } = await packageUser(longhaul, { fetch });
  const [oldest, second, newest] = await tenant.createAll([1, 2, 3].map(() => ({ tags: ['a'] })));
  if (oldest === undefined || second === undefined || newest === undefined) throw new Error('no jobs');
  const all = storesOf(client).list('all', {}, { order: undefined, pageSize: 1 });
  const pending = storesOf(client).list('pending', { statuses: ['PENDING'] }, { order: undefined, pageSize: 1 });
  for (const { subscribe } of [all, pending]) onTestFinished(subscribe(() => {}));
  const shown = () => [all, pending].map((store) => store.getSnapshot().jobs.map(({ uuid, status }) => `${uuid} ${status}`));
  await eventually(() => expect(shown()).toEqual([[`${newest.id} PENDING`], [`${newest.id} PENDING`]]));

  const loading = [all.loadMore(), pending.loadMore()];
  await eventually(() => expect(held.answered()).toBe(2));
  await tenant.cancel(second.id);
  // The list has heard of the one when it shows the other.
  await tenant.cancel(newest.id);
  await eventually(() => expect(shown()).toEqual([[`${newest.id} CANCELLED`], []]));
  held.release();
  await Promise.all(loading);
  expect(shown()).toEqual([[`${newest.id} CANCELLED`, `${second.id} CANCELLED`], []]);
  expect(all.getSnapshot().hasMore).toBe(true);
});

test('a page of the list as it was is not added to the list that was read anew meanwhile', async () => {
  const { held, fetch } = holding(/"after":"/);
  const { client, tenant } = await packageUser(longhaul, { fetch });
  const [, newest] = await tenant.createAll([1, 2].map(() => ({ tags: ['a'] })));
  const store = storesOf(client).list('all', {}, { order: undefined, pageSize: 1 });
  onTestFinished(store.subscribe(() => {}));
  const shown = () => [store.getSnapshot().jobs.map(({ uuid }) => uuid), store.getSnapshot().isLoading, store.getSnapshot().error];
  await eventually(() => expect(shown()).toEqual([[newest?.id], false, null]));

  const loading = store.loadMore();
  await eventually(() => expect(held.answered()).toBe(1));
  store.reload();
  await eventually(() => expect(shown()).toEqual([[newest?.id], false, null]));
  held.release();
  await loading;
  expect(shown()).toEqual([[newest?.id], false, null]);
  expect(store.getSnapshot().hasMore).toBe(true);
});
