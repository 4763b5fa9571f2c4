import type { Shutdown } from '../../src/index.js';

/** As much of Angular's `DestroyRef` as is needed. */
export interface Destroyable {
  onDestroy(callback: () => void): () => void;
}

/** Lets what runs end well after the component is gone: `stopWhenDestroyed(createShutdown(), inject(DestroyRef))`. */
export function stopWhenDestroyed(shutdown: Shutdown, destroyRef: Destroyable): Shutdown {
  const forget = destroyRef.onDestroy(() => {
    void shutdown.stop('destroyed'); // nobody waits: Angular destroys at once
  });
  void shutdown.done.then(forget);
  return shutdown;
}
