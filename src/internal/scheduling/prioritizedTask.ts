import { macrotask } from '../macrotask.js';

/** From the most urgent: the words of the platform (WICG, "Prioritized Task Scheduling"). */
export const priorities = ['user-blocking', 'user-visible', 'background'] as const;
export type Priority = (typeof priorities)[number];

interface Platform {
  scheduler?: {
    postTask?(task: () => void, options: { priority: Priority; signal: AbortSignal }): Promise<unknown>;
  };
}

/**
 * Runs `callback` after the event loop has had a turn, as a task of this priority where the platform knows priorities, and tells
 * it whether it does. Returns the cancellation.
 */
export function prioritizedTask(priority: Priority, callback: (isPrioritized: boolean) => void): () => void {
  const { scheduler } = globalThis as Platform;
  if (typeof scheduler?.postTask !== 'function') {
    return macrotask(() => {
      callback(false);
    });
  }
  const controller = new AbortController();
  const run = () => {
    callback(true);
  };
  // Its promise is rejected when the task is cancelled.
  void scheduler.postTask(run, { priority, signal: controller.signal }).catch(() => undefined);
  return () => {
    controller.abort();
  };
}
