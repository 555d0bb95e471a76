import { createContext, createElement, type ReactNode, useCallback, useContext, useMemo, useState, useSyncExternalStore } from 'react';
import type { Client } from '../client.ts';
import type { JobHandle } from '../handle.ts';
import type { AnyJobs, InputOf, OutputOf, Sendable } from '../job-types.ts';
import type { JobFilter, JobsOptions } from '../jobs.ts';
import type { SubmitOptions } from '../submission.ts';
import type { TransferProgress } from '../uploaded-file.ts';
import { noJob, type ShownJob } from './job-store.ts';
import { noJobs, type ShownJobs } from './list-store.ts';
import { storesOf } from './stores.ts';

export type { ShownJob } from './job-store.ts';
export type { ShownJobs } from './list-store.ts';

const ClientContext = createContext<Client | null>(null);

/** Gives the client to the hooks below it. Make the client once, outside of components. */
export function LonghaulProvider<Jobs>({ client, children }: { client: Client<Jobs>; children?: ReactNode }): ReactNode {
  return createElement(ClientContext.Provider, { value: client as unknown as Client }, children);
}

/** The client of the provider above; its jobs are typed by what is said here. */
export function useClient<Jobs = AnyJobs>(): Client<Jobs> {
  const client = useContext(ClientContext);
  if (client === null) throw new Error('There is no client here: put the component below a LonghaulProvider.');
  // What the provider was given, whatever its types.
  return client as unknown as Client<Jobs>;
}

/** A job, live until its end. @param id null shows none */
export function useJob<Output = unknown>(id: string | null | undefined): ShownJob<Output> {
  const client = useClient();
  const store = id == null ? null : storesOf(client).job(id);
  const shown = useSyncExternalStore(store?.subscribe ?? never, store?.getSnapshot ?? nothing, nothing);
  return shown as ShownJob<Output>;
}

/** The jobs of a filter, live, page by page. The filter may be made anew for each rendering. */
export function useJobs(
  filter: JobFilter = {},
  options: Pick<JobsOptions, 'order' | 'pageSize'> = {},
): ShownJobs & { loadMore(): Promise<void>; reload(): void } {
  const client = useClient();
  const { order, pageSize } = options;
  const store = storesOf(client).list(JSON.stringify([filter, order, pageSize]), filter, { order, pageSize });
  const shown = useSyncExternalStore(store.subscribe, store.getSnapshot, none);
  return useMemo(() => ({ ...shown, loadMore: store.loadMore, reload: store.reload }), [shown, store]);
}

/** What became of the newest submission. */
export interface Submitting<Output> extends ShownJob<Output> {
  /** Whether it is on its way: files are sent, the job is created. */
  isSubmitting: boolean;
  /** Of the file that is sent; null while none is. */
  upload: TransferProgress | null;
  handle: JobHandle<Output> | null;
}

/** Submits jobs of a type, and shows the newest: its upload, then the job, live. `submit` rejects as the client's does, and `error` has it, too. */
export function useSubmit<Jobs = AnyJobs, Type extends keyof Jobs & string = keyof Jobs & string>(
  type: Type,
): Submitting<OutputOf<Jobs, Type>> & { submit(input: Sendable<InputOf<Jobs, Type>>, options?: SubmitOptions): Promise<JobHandle<OutputOf<Jobs, Type>>> } {
  type Output = OutputOf<Jobs, Type>;
  const client = useClient<Jobs>();
  const [state, setState] = useState<Pick<Submitting<Output>, 'isSubmitting' | 'upload' | 'handle' | 'error'>>(idle);
  const submit = useCallback(
    async (input: Sendable<InputOf<Jobs, Type>>, options: SubmitOptions = {}) => {
      setState({ ...idle, isSubmitting: true });
      const onUploadProgress = (upload: TransferProgress) => {
        setState({ ...idle, isSubmitting: true, upload });
        options.onUploadProgress?.(upload);
      };
      try {
        const handle = await client.submit(type, input, { ...options, onUploadProgress });
        setState({ ...idle, handle });
        return handle;
      } catch (error) {
        setState({ ...idle, error });
        throw error;
      }
    },
    [client, type],
  );
  const shown = useJob<Output>(state.handle?.id);
  return { ...shown, ...state, error: state.error ?? shown.error, submit };
}

const idle = { isSubmitting: false, upload: null, handle: null, error: null };

const never = () => () => {};
const nothing = () => noJob;
const none = () => noJobs;
