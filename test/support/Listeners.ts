import { vi } from 'vitest';

/** Counts the listeners that are added and not removed again, of whatever can have some. */
export class Listeners {
  private readonly added = vi.spyOn(EventTarget.prototype, 'addEventListener');
  private readonly removed = vi.spyOn(EventTarget.prototype, 'removeEventListener');

  /** A call that removes what was never added removes nothing. */
  get left(): number {
    const calls = [this.added, this.removed].flatMap(({ mock }, kind) =>
      mock.calls.map(([type, listener], i) => ({
        ...{ type, listener, target: mock.contexts[i], isAdded: kind === 0, order: mock.invocationCallOrder[i] ?? 0 },
      })),
    );
    const open: typeof calls = [];
    for (const call of calls.sort((a, b) => a.order - b.order)) {
      const { type, listener, target } = call;
      const at = open.findIndex((each) => each.type === type && each.listener === listener && each.target === target);
      if (call.isAdded && at < 0) open.push(call);
      else if (!call.isAdded && at >= 0) open.splice(at, 1);
    }
    return open.length;
  }

  restore(): void {
    this.added.mockRestore();
    this.removed.mockRestore();
  }
}
