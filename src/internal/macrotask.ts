/** Runs `callback` after the event loop has had a turn. Returns the cancellation. */
export type Pause = (callback: () => void) => () => void;

interface Macrotasks {
  setImmediate?: (callback: () => void) => unknown;
  clearImmediate?: (handle: unknown) => void;
  MessageChannel?: typeof MessageChannel;
}

/** The cheapest way that the platform has: `setImmediate`, a `MessageChannel`, or a timer (which costs a millisecond). */
export const macrotask: Pause = (callback) => {
  const { setImmediate, clearImmediate, MessageChannel } = globalThis as Macrotasks;
  if (setImmediate && clearImmediate) {
    const handle = setImmediate(callback);
    return () => {
      clearImmediate(handle);
    };
  }
  if (MessageChannel) {
    const { port1, port2 } = new MessageChannel();
    const close = () => {
      port1.onmessage = null;
      port1.close();
    };
    port1.onmessage = () => {
      close();
      callback();
    };
    port2.postMessage(undefined);
    return close;
  }
  const handle = setTimeout(callback);
  return () => {
    clearTimeout(handle);
  };
};
