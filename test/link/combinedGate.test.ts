import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { CombinedGate, type DemandPolicy } from '../../src/link/CombinedGate.js';
import { ManualGate } from '../support/ManualGate.js';
import { settle } from '../support/settle.js';

const open = () => true;
const waitersOf = (gates: readonly ManualGate[]) => gates.map(({ waiters }) => waiters.size);

/** Two closed gates, and somebody who waits for them. */
function waiting(policy: DemandPolicy) {
  const gates = [new ManualGate(), new ManualGate()];
  const combined = new CombinedGate(policy, open);
  const leave = gates.map((gate) => combined.join(gate));
  const called = vi.fn();
  const cancel = combined.onReady(called);
  return { gates, combined, leave, called, cancel };
}

describe('CombinedGate', () => {
  it('is closed while there is nobody, or while it is told to be', () => {
    for (const policy of ['all', 'any'] as const) {
      const combined = new CombinedGate(policy, open);
      expect(combined.ready).toBe(false);
      const leave = combined.join(undefined);
      expect(combined.ready).toBe(true);
      leave();
      expect(combined.ready).toBe(false);

      const denied = new CombinedGate(policy, () => false);
      denied.join(undefined);
      expect(denied.ready).toBe(false);
    }
  });

  it.each([
    ['all', [false, false, false, true]],
    ['any', [false, true, true, true]],
  ] as const)('takes %s', (policy, expected) => {
    const ready = [0, 1, 2, 3].map((bits) => {
      const combined = new CombinedGate(policy, open);
      combined.join(new ManualGate((bits & 1) > 0));
      combined.join(new ManualGate((bits & 2) > 0));
      return combined.ready;
    });
    expect(ready).toEqual(expected);
  });

  it("waits with 'all' at one that is closed, then at the next", () => {
    const { gates, called } = waiting('all');
    expect(waitersOf(gates)).toEqual([1, 0]);
    (gates[0] as ManualGate).ready = true;
    expect([...waitersOf(gates), called.mock.calls.length]).toEqual([0, 1, 0]);
    (gates[1] as ManualGate).ready = true;
    expect([...waitersOf(gates), called.mock.calls.length]).toEqual([0, 0, 1]);
  });

  it("waits with 'all' at the first again if that has closed meanwhile", () => {
    const { gates, called } = waiting('all');
    (gates[0] as ManualGate).pass();
    (gates[1] as ManualGate).ready = true;
    expect([...waitersOf(gates), called.mock.calls.length]).toEqual([1, 0, 0]);
    (gates[0] as ManualGate).ready = true;
    expect([...waitersOf(gates), called.mock.calls.length]).toEqual([0, 0, 1]);
  });

  it("waits with 'any' at each, until one opens", () => {
    const { gates, called } = waiting('any');
    expect(waitersOf(gates)).toEqual([1, 1]);
    (gates[1] as ManualGate).ready = true;
    expect([...waitersOf(gates), called.mock.calls.length]).toEqual([0, 0, 1]);
  });

  it('waits nowhere when nobody waits any more', () => {
    for (const policy of ['all', 'any'] as const) {
      const { gates, called, cancel } = waiting(policy);
      cancel();
      expect(waitersOf(gates)).toEqual([0, 0]);
      for (const gate of gates) gate.ready = true;
      expect(called).not.toHaveBeenCalled();
    }
  });

  it.each(['all', 'any'] as const)('keeps its place in the line of a closed gate (%s)', (policy) => {
    const { gates, combined } = waiting(policy);
    const [gate] = gates as [ManualGate];
    const [first] = gate.waiters;
    gate.onReady(() => {});
    combined.wake();
    combined.onReady(() => {});
    expect([...gate.waiters].indexOf(first as () => void)).toBe(0);
  });

  it("waits with 'any' at no gate that is open while it is told to be closed", () => {
    let mayTake = false;
    const combined = new CombinedGate('any', () => mayTake);
    const gates = [new ManualGate(true), new ManualGate()];
    for (const gate of gates) combined.join(gate);
    const called = vi.fn();
    combined.onReady(called);
    expect(waitersOf(gates)).toEqual([0, 1]);
    mayTake = true;
    combined.wake();
    expect([...waitersOf(gates), called.mock.calls.length]).toEqual([0, 0, 1]);
  });

  it('goes on when the one leaves for whom it waited', () => {
    const { gates, leave, called } = waiting('all');
    (gates[1] as ManualGate).ready = true;
    leave[0]?.();
    expect([...waitersOf(gates), called.mock.calls.length]).toEqual([0, 0, 1]);
  });

  it("goes on with 'any' when one joins who can take", () => {
    const { combined, called } = waiting('any');
    combined.join(undefined);
    expect(called).not.toHaveBeenCalled();
    combined.wake();
    expect(called).toHaveBeenCalledTimes(1);
  });

  it("waits with 'any' for one who joins, too", () => {
    const { combined, called } = waiting('any');
    const late = new ManualGate();
    combined.join(late);
    combined.wake();
    expect(late.waiters.size).toBe(1);
    late.ready = true;
    expect(called).toHaveBeenCalledTimes(1);
  });

  it('calls in a microtask who begins to wait while it is open', async () => {
    const combined = new CombinedGate('all', open);
    const gate = new ManualGate(true);
    combined.join(gate);
    const called = vi.fn();
    combined.onReady(called);
    expect([called.mock.calls.length, gate.waiters.size]).toEqual([0, 0]);
    gate.ready = false; // too early
    await settle();
    expect([called.mock.calls.length, gate.waiters.size]).toEqual([0, 1]);
    gate.ready = true;
    expect(called).toHaveBeenCalledTimes(1);
  });

  const steps = fc.array(
    fc.record({ what: fc.constantFrom('join', 'leave', 'open', 'close', 'wait', 'cancel'), which: fc.nat(3) }),
    { maxLength: 40 },
  );

  it.each(['all', 'any'] as const)('lets nobody wait at a gate that is open, whatever happens (%s)', (policy) => {
    fc.assert(
      fc.property(steps, (program) => {
        const gates = Array.from({ length: 4 }, () => new ManualGate());
        const combined = new CombinedGate(policy, open);
        const leaves = new Map<number, () => void>();
        const waiters = new Set<() => void>();
        const cancels: (() => void)[] = [];
        for (const { what, which } of program) {
          const gate = gates[which] as ManualGate;
          if (what === 'join') {
            leaves.get(which)?.();
            leaves.set(which, combined.join(gate));
            combined.wake();
          } else if (what === 'leave') {
            leaves.get(which)?.();
            leaves.delete(which);
          } else if (what === 'open') gate.ready = true;
          else if (what === 'close') gate.ready = false;
          else if (what === 'cancel') cancels[which]?.();
          else if (!combined.ready) {
            const waiter = () => {
              expect(combined.ready).toBe(true);
              waiters.delete(waiter);
            };
            waiters.add(waiter);
            const cancel = combined.onReady(waiter);
            cancels.unshift(() => {
              cancel();
              waiters.delete(waiter);
            });
          }
          const present = [...leaves.keys()].map((each) => (gates[each] as ManualGate).ready);
          const isOpen = present.length > 0 && (policy === 'all' ? !present.includes(false) : present.includes(true));
          expect(combined.ready).toBe(isOpen);
          if (isOpen || waiters.size === 0) {
            expect(waiters.size).toBe(0);
            expect(waitersOf(gates)).toEqual([0, 0, 0, 0]);
          } else if (policy === 'any') expect(waitersOf(gates)).toEqual(gates.map((_, i) => (leaves.has(i) ? 1 : 0)));
          else if (present.length > 0) expect(waitersOf(gates).reduce((sum, each) => sum + each)).toBe(1);
        }
      }),
      { numRuns: 500 },
    );
  });
});
