export { defineHandler, type Handler, type OpenedFile, type Run, type StopReason } from './handler.ts';
export { Fatal, Retryable } from './outcome.ts';
export { startWorker, type Worker, type WorkerOptions } from './worker.ts';
