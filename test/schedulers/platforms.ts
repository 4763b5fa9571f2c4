import { vi } from 'vitest';
import { macrotask } from '../../src/internal/macrotask.js';

type Priority = 'user-blocking' | 'user-visible' | 'background';
const order: readonly Priority[] = ['user-blocking', 'user-visible', 'background'];

interface PostedTask {
  readonly priority: Priority;
  readonly task: () => void;
}

/** Stands in for `scheduler.postTask`: each task has a turn of the event loop, the most urgent first. */
export function stubPostTask(isLogged = true): { readonly log: string[]; readonly waiting: readonly unknown[] } {
  const waiting: PostedTask[] = [];
  const log: string[] = [];
  const note = (entry: string) => {
    if (isLogged) log.push(entry);
  };
  const runFirst = () => {
    const first = order.map((priority) => waiting.find((each) => each.priority === priority)).find(Boolean);
    if (!first) return;
    waiting.splice(waiting.indexOf(first), 1);
    note(`run ${first.priority}`);
    first.task();
  };
  const postTask = (task: () => void, { priority, signal }: { priority: Priority; signal: AbortSignal }) =>
    new Promise((resolve, reject: (reason: unknown) => void) => {
      note(`post ${priority}`);
      const posted = { priority, task: () => { task(); resolve(undefined); } }; // prettier-ignore
      waiting.push(posted);
      signal.addEventListener('abort', () => {
        const place = waiting.indexOf(posted);
        if (place < 0) return;
        waiting.splice(place, 1);
        note(`abort ${priority}`);
        reject(signal.reason);
      });
      macrotask(runFirst);
    });
  vi.stubGlobal('scheduler', { postTask });
  return { log, waiting };
}

/** A platform without `scheduler.postTask`. */
export function stubNoPostTask(): void {
  vi.stubGlobal('scheduler', undefined);
}

/** A platform without `requestIdleCallback`. */
export function stubNoIdleCallback(): void {
  vi.stubGlobal('requestIdleCallback', undefined);
  vi.stubGlobal('cancelIdleCallback', undefined);
}

interface IdleRequest {
  readonly callback: IdleRequestCallback;
  readonly timeout: number | undefined;
}

interface IdlePlatform {
  readonly log: string[];
  readonly requests: ReadonlyMap<number, IdleRequest>;
  /** There is time for `ms` by the clock. */
  readonly idle: (ms?: number) => void;
  /** There was none for as long as was asked for. */
  readonly timeOut: () => void;
}

/** Stands in for `requestIdleCallback`: the test says when there is time. */
export function stubIdleCallback(): IdlePlatform {
  const requests = new Map<number, IdleRequest>();
  const log: string[] = [];
  let handles = 0;
  const call = (didTimeout: boolean, timeRemaining: () => number) => {
    for (const [handle, { callback }] of [...requests]) {
      requests.delete(handle);
      callback({ didTimeout, timeRemaining });
    }
  };
  vi.stubGlobal('requestIdleCallback', (callback: IdleRequestCallback, { timeout }: IdleRequestOptions = {}) => {
    requests.set(++handles, { callback, timeout });
    log.push(`request ${String(timeout)}`);
    return handles;
  });
  vi.stubGlobal('cancelIdleCallback', (handle: number) => {
    if (requests.delete(handle)) log.push('cancel');
  });
  return {
    log,
    requests,
    idle: (ms = Infinity) => {
      const end = performance.now() + ms;
      call(false, () => Math.max(0, end - performance.now()));
    },
    timeOut: () => {
      call(true, () => 0);
    },
  };
}

/** Stands in for `requestIdleCallback` where there is always time after a turn of the event loop. */
export function stubIdleLoop(timeRemaining = () => 50): void {
  vi.stubGlobal('requestIdleCallback', (callback: IdleRequestCallback) =>
    macrotask(() => {
      callback({ didTimeout: false, timeRemaining });
    }),
  );
  vi.stubGlobal('cancelIdleCallback', (cancel: () => void) => {
    cancel();
  });
}
