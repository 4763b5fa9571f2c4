import { BoundedQueue, createPool, createRateLimiter, gather } from '../../src/index.js';

/** Whatever waits for a signal: called, it waits until that is aborted. */
export const waits: Readonly<
  Record<string, Readonly<Record<string, () => (signal: AbortSignal) => Promise<unknown>>>>
> = {
  BoundedQueue: {
    'put, when it is full': () => {
      const queue = new BoundedQueue<number>({ capacity: 1 });
      queue.tryPut(1);
      return (signal) => queue.put(2, { signal });
    },
    'take, when it is empty': () => {
      const queue = new BoundedQueue<number>();
      return (signal) => queue.take({ signal });
    },
    'join, with work undone': () => {
      const queue = new BoundedQueue<number>();
      queue.tryPut(1);
      return (signal) => queue.join({ signal });
    },
  },
  createPool: {
    'acquire, when all are lent': () => {
      const pool = createPool({ create: () => ({}), max: 1 });
      const lent = pool.acquire();
      return async (signal) => {
        await lent;
        return pool.acquire({ signal });
      };
    },
  },
  createRateLimiter: {
    'acquire, with no permit free': () => {
      const limiter = createRateLimiter({ limit: 1, interval: 1e6 });
      limiter.tryAcquire();
      return (signal) => limiter.acquire({ signal });
    },
  },
  gather: {
    'with a task that does not end': () => (signal) => gather([() => new Promise(() => undefined)], { signal }),
  },
};
